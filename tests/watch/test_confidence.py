"""How sure a finding is: told for what stands for itself, and kept with it."""

import pytest

from danlu.base.finding_text import finding_lines
from danlu.base.records import Finding, finding_of
from danlu.base.words import use_language
from danlu.watch.confidence import READ_OR_TRIED
from danlu.watch.ranking import ranked
from danlu.watch.rulebook import rulebook

RULES = {rule.id: rule for rule in rulebook()}


def finding(rule: str, severity: str = "warning") -> Finding:
    return Finding(rule, severity, (), 1, {}, "title", "why")


def test_the_rules_that_are_sure_are_rules() -> None:
    assert set(RULES) >= READ_OR_TRIED


@pytest.mark.parametrize(
    ("told", "confidence"),
    [
        (finding("softmax-twice", "error"), "surely"),
        (finding("overfitting"), "probably"),
        (finding("softmax-twice", "advice"), ""),
        (finding("a-rule-of-ones-own", "error"), ""),
    ],
)
def test_one_finding(told: Finding, confidence: str) -> None:
    (one,) = ranked([told], RULES)
    assert one.confidence == confidence
    assert one.as_dict()["confidence"] == (confidence or None)
    assert finding_of(one.as_dict()) == one
    assert ("surely" in finding_lines(one)[0], "probably" in finding_lines(one)[0]) == (
        confidence == "surely", confidence == "probably",
    )  # fmt: skip


def test_a_symptom_stands_under_its_cause() -> None:
    cause, symptom = ranked([finding("plateau"), finding("label-imbalance")], RULES)
    assert (cause.rule, cause.confidence) == ("label-imbalance", "probably")
    assert (symptom.rule, symptom.confidence) == ("plateau", "")


def test_chinese() -> None:
    (one,) = ranked([finding("overfitting")], RULES)
    use_language("zh")
    try:
        assert finding_lines(one)[0].endswith("从第 1 步起，很可能")
    finally:
        use_language("en")
