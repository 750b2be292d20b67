"""Losses by hand in the source."""

import ast

import pytest

from danlu.watch.probes.code_arithmetic import ratio_of_sums, square_of_difference, times_advantage


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("v = 0.5 * (r - v).pow(2).mean()", 1), ("v = ((r - v) ** 2).mean()", 1), ("v = (r - v).square()", 1),
        ("a = (r - v) ** 2\nb = (q - v) ** 2", None), ("a = r ** 2", None), ("a = (r - v) ** 2 + (q - v) ** 2", 1),
    ],
)  # fmt: skip
def test_the_only_line_with_a_squared_difference(source: str, line: int | None) -> None:
    assert square_of_difference(ast.parse(source)) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("d = 2 * (p * m).sum() / (p.sum() + m.sum())", 1),
        ("d = (p * m).sum() / count", None),
        ("d = total / n", None),
        ("d = (p & m).sum() / (p | m).sum()", None),
    ],
)
def test_the_only_ratio_of_sums(source: str, line: int | None) -> None:
    assert ratio_of_sums(ast.parse(source)) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("adv = (adv - adv.mean()) / adv.std()\nloss = -mb_advantages * ratio", 2),
        ("loss = (ratio * adv[index]).mean()", 1),
        ("adverse = a * b", None),
    ],
)
def test_the_first_product_with_an_advantage(source: str, line: int | None) -> None:
    assert times_advantage(ast.parse(source)) == line
