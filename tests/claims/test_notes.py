"""Every claim of the notes: it runs in miniature, its plan stands beforehand, its words are in both languages, and its
figure can be drawn."""

import json
from pathlib import Path

import pytest

from danlu.base.strict_json import to_json
from danlu.base.words import LANGUAGES, catalogue
from danlu.claims.catalogue import CLAIMS
from danlu.claims.check import check, options_of, plan_of
from danlu.claims.result import ClaimResult, read_result
from danlu.view.claims import claim_text, plan_lines
from danlu.view.figures.chart import plain
from danlu.view.figures.claims import claim_chart

WORDS = {
    "holds", "holds only when", "does not hold", "the opposite holds", "undecided", "exact", "not exact", "not tested",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("claims")


def in_miniature(claim: str, folder: Path) -> ClaimResult:
    return check(claim, folder=folder / claim, miniature=CLAIMS[claim].kind != "identity")


@pytest.mark.every(24)
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_in_miniature(claim: str, folder: Path) -> None:
    result = in_miniature(claim, folder)
    assert result.verdict in WORDS
    assert json.loads(to_json(result.record))["claim"] == claim
    assert result.record["comparisons"] or result.record["checks"]
    if CLAIMS[claim].kind == "identity":
        assert result.verdict == "exact"
    else:
        assert {one["control"] for one in result.record["controls"]} >= {"placebo", "positive"}
    kept = read_result(folder / claim)
    assert kept is not None
    assert str(kept) == claim_text(result.record)
    assert in_miniature(claim, folder).record == kept.record, "what was tested is read, not tested again"


@pytest.mark.every(24)
@pytest.mark.parametrize("claim", CLAIMS)
def test_its_figure_can_be_drawn(claim: str, folder: Path, language: str) -> None:
    chart = claim_chart(in_miniature(claim, folder).record)
    assert chart.panels
    assert all(panel.marks for panel in chart.panels)
    assert to_json(plain(chart))


@pytest.mark.parametrize("claim", CLAIMS)
def test_its_plan_stands_before_anything_is_trained(claim: str) -> None:
    options = options_of(None, None, None, None, None)
    plan = plan_of(claim, options)
    assert plan.hash == plan_of(claim, options).hash
    assert plan.as_dict()["claim"] == claim
    assert plan_lines(plan.as_dict())
    assert to_json(plan.as_dict())


@pytest.mark.parametrize("claim", [one for one in CLAIMS if CLAIMS[one].kind == "effect"])
def test_another_question_is_another_plan(claim: str) -> None:
    plans = {
        plan_of(claim, options_of(None, None, None, seeds, margin)).hash for seeds in (5, 6) for margin in (0.1, 0.2)
    }
    assert len(plans) == 4


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("name", LANGUAGES)
def test_its_words_are_in_both_languages(claim: str, name: str) -> None:
    phrases = catalogue(name)
    sentence = phrases[f"notes.say-{claim}"]
    assert sentence.endswith("." if name == "en" else "。")
    assert phrases[f"notes.why-{claim}"]
    assert phrases[f"notes.source-{claim}"]


def test_the_catalogue_says_what_each_is() -> None:
    for one in CLAIMS.values():
        assert one.claim().id == one.id
        assert 0 < one.minutes <= 3
