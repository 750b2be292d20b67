"""Distillation: sides that are softened, and the square by which their loss is scaled back."""

import ast
import textwrap
from typing import Any

import pytest

from danlu.watch.probes.code_distillation import one_sided, unscaled

PLAIN = """
def step(s, t, y):
    soft = kl_div(log_softmax(s / T, 1), softmax(t / T, 1))
    {more}
    loss = {weight} * soft + {other}
    return loss
"""
KEPT = """
class Loss:
    def forward(self, s, t, y):
        soft = self.kl((s / self.T).log_softmax(1), (t / self.T).softmax(1))
        return 0.9 * soft{factor} + 0.1 * cross_entropy(s, y)
"""
CALLED = """
def soften(s, t, tau):
    return {factor}kl_div(log_softmax(s / tau, 1), softmax(t / tau, 1))

def step(s, t, y):
    loss = cross_entropy(s, y)
    loss += soften(s, t, 4.0)
    return loss
"""


def found(source: str, **values: Any) -> int | None:
    tree = ast.parse(textwrap.dedent(source))
    return unscaled(tree, tree, values)


@pytest.mark.parametrize(
    ("weight", "other", "more", "told"),
    [
        ("0.5", "cross_entropy(s, y)", "", True),
        ("0.5", "hard", "hard = criterion(s, y)", True),
        ("T * T * 0.5", "cross_entropy(s, y)", "", False),
        ("0.5 * T**2", "cross_entropy(s, y)", "", False),
        ("16.0", "cross_entropy(s, y)", "", False),
        ("scale", "cross_entropy(s, y)", "scale = T**2", False),
        ("0.5", "cross_entropy(s, y)", "soft *= T * T", False),
        ("0.5", "0", "", False),
    ],
)
def test_a_softened_loss_beside_another(weight: str, other: str, more: str, told: bool) -> None:
    assert (found(PLAIN.format(weight=weight, other=other, more=more)) is not None) == told


@pytest.mark.parametrize(("temperature", "told"), [(4.0, True), (1.0, False), (1.2, False)])
def test_the_temperature_matters_where_it_is_known(temperature: float, told: bool) -> None:
    source = PLAIN.format(weight="0.5", other="cross_entropy(s, y)", more="")
    assert (found(source, T=temperature) is not None) == told


@pytest.mark.parametrize(("factor", "told"), [("", True), (" * self.T ** 2", False), (" * (self.T * self.T)", False)])
def test_a_loss_object_with_a_temperature(factor: str, told: bool) -> None:
    assert (found(KEPT.format(factor=factor)) is not None) == told


@pytest.mark.parametrize(("factor", "told"), [("", True), ("tau**2 * ", False)])
def test_a_function_that_softens(factor: str, told: bool) -> None:
    assert (found(CALLED.format(factor=factor)) is not None) == told


def test_sides_of_which_one_is_softened_are_another_mistake() -> None:
    source = "loss = kl_div(log_softmax(s / T, 1), softmax(t, 1)) + cross_entropy(s, y)"
    assert found(source) is None
    assert one_sided(ast.parse(source)) == 1


BY_HAND = """
def step(x):
    wanted = {teacher}(x).div(tau).softmax(-1)
    told = student(x){soft}.log_softmax(-1)
    return -(wanted * told).sum(-1).mean()
"""


@pytest.mark.parametrize(
    ("teacher", "soft", "line"), [("teacher", "", 5), ("teacher", ".div(tau)", None), ("weak_view", "", None)]
)
def test_a_cross_entropy_of_softened_answers_by_hand(teacher: str, soft: str, line: int | None) -> None:
    """Without a teacher it may be a guess of the net's own that is sharpened."""
    assert one_sided(ast.parse(BY_HAND.format(teacher=teacher, soft=soft))) == line


@pytest.mark.parametrize(
    ("student", "weight", "told"),
    [
        ("s", "T**2", True),
        ("s", "0.5 * self.T * self.T", True),
        ("s / T", "T**2", False),
        ("s", "0.5", False),  # whether the targets are soft is not known
        ("s", "scale", False),
    ],
)
def test_soft_targets_that_were_made_elsewhere(student: str, weight: str, told: bool) -> None:
    source = f"kd = kl_div(log_softmax({student}, 1), soft)\nloss = {weight} * kd + cross_entropy(s, y)"
    assert one_sided(ast.parse(source)) == (1 if told else None)
