"""Findings as people read them."""

from dataclasses import replace

import pytest

from danlu.base.finding_text import Findings, remedy_text
from danlu.base.records import Finding

FOUND = Finding(
    "dead-units", "warning", ("a", "b", "c", "d"), 40, {}, "half are < 0", "why & how",
    ({"change": {"net.activation": "relu"}}, {"advice": "a lower rate"}),
)  # fmt: skip


def test_printed_they_are_lines() -> None:
    assert str(Findings([FOUND])).splitlines()[1] == "    half are < 0"
    assert Findings([FOUND]) == [FOUND]


def test_a_rule_has_its_name_first_and_the_id_behind_it(language: str) -> None:
    fading = replace(FOUND, rule="vanishing-gradient", evidence={"symptoms": ["plateau", "dead-units"]})
    head, *_, last = str(Findings([fading])).splitlines()
    name = "vanishing-gradient" if language == "en" else "梯度消失 vanishing-gradient"
    assert head.startswith(f"▲ {name}   a, b, c")
    assert last.endswith("plateau, dead-units" if language == "en" else "损失停滞 plateau，dead-units")


def test_in_a_notebook_they_are_cards_with_their_text_escaped(language: str) -> None:
    shown = Findings([FOUND, FOUND])._repr_html_()  # pyright: ignore
    assert shown.count("<pre") == 2
    assert "half are &lt; 0" in shown
    assert "why &amp; how" in shown


def test_none_is_said(language: str) -> None:
    assert str(Findings()) == ("no problems found" if language == "en" else "没有发现问题")
    assert str(Findings()) in Findings()._repr_html_()  # pyright: ignore


@pytest.mark.parametrize("remedy", [{}, {"change": 3}, {"change": None}])
def test_a_remedy_of_another_danlu_is_empty(remedy: dict[str, object]) -> None:
    assert remedy_text(remedy) == ""
