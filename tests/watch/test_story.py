"""Of one run one story is told."""

import itertools

import pytest

from danlu.base.records import Finding
from danlu.watch.guard import Guard
from danlu.watch.judge import Judge
from danlu.watch.rulebook import rulebook
from danlu.watch.story import EARLIER_STANDS, EXCLUDES, excluding_pairs, one_story
from measurements import training, validated

IDS = [rule.id for rule in rulebook()]


def finding(rule: str, since: int = 1) -> Finding:
    return Finding(rule, "advice", (), since, {}, "", "")


def told(*findings: Finding) -> set[str]:
    return {one.rule for one in one_story(findings)}


def test_the_table_names_rules_and_no_rule_excludes_itself() -> None:
    assert {rule for pair in excluding_pairs() for rule in pair} <= set(IDS)
    assert all(len(pair) == 2 for pair in excluding_pairs())


@pytest.mark.parametrize(
    "pair",
    [
        ("lr-too-high", "lr-too-low"), ("overfitting", "underfitting"), ("plateau", "too-few-epochs"),
        ("underfitting", "too-few-epochs"), ("overfitting", "too-few-epochs"), ("underfitting", "plateau"),
    ],
)  # fmt: skip
def test_what_contradicts_each_other_is_in_the_table(pair: tuple[str, str]) -> None:
    assert frozenset(pair) in excluding_pairs()


@pytest.mark.parametrize("order", [1, -1])
def test_of_each_pair_one_is_told_whatever_the_order(order: int) -> None:
    for pair in excluding_pairs():
        assert len(told(*(finding(rule) for rule in sorted(pair)[::order]))) == 1


def test_of_all_rules_together_no_pair_is_told() -> None:
    everything = told(*(finding(rule) for rule in IDS))
    assert not [pair for pair in excluding_pairs() if pair <= everything]


def test_no_rule_is_silenced_by_one_that_is_not_told_itself() -> None:
    """Every rule left out has one beside it, among those told, that excludes it."""
    for three in itertools.combinations(EXCLUDES, 3):
        kept = told(*(finding(rule) for rule in three))
        assert all(any(frozenset((rule, one)) in excluding_pairs() for one in kept) for rule in set(three) - kept)


@pytest.mark.parametrize(("one", "other"), EARLIER_STANDS)
def test_of_two_that_lead_to_each_other_the_earlier_one_is_told(one: str, other: str) -> None:
    assert told(finding(one, 5), finding(other, 9)) == {one}
    assert told(finding(one, 9), finding(other, 5)) == {other}


def test_the_judge_tells_one_story() -> None:
    """A loss at the level of guessing whose validation loss rises: only one of both can be the trouble."""
    measured = training(lambda step: 2.3 + 0.001 * (step % 3), 300, update=0.001)
    validated(measured, [0.5, 9.0, 9.0, 9.0, 9.0], samples=500)
    spoken: list[Finding] = []
    judge = Judge(
        rulebook(), (), {}, Guard(lambda name, error: pytest.fail(f"{name}: {error}")), spoken.append, lambda *_: None
    )
    judge(measured)
    assert [one.rule for one in judge.findings] == [one.rule for one in spoken] == ["overfitting"]
