"""evaluation-misuse: told of held-out data that are dropped, drawn anew, scaled by themselves or weighed unevenly."""

import math
from typing import Any

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Unfair
from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation, Intervention
from danlu.watch.rules.evaluation_misuse import RULE
from measurements import check_threshold, said, told, verdict

LINE = CodeLine("train.py", 40)


def unfair(kind: str, *, share: float = 0.3) -> Measured:
    return Measured(step=50, unfair={kind: Unfair(40, share, 3.0, 10.0)})


def uneven(
    *, smallest: int = 10, samples: int = 110, batches: int = 2, read: bool = True, plain: float = 0.6
) -> Measured:
    one = Evaluation(40, batches, samples, 0.5, math.nan, False, 0.0, smallest=smallest, largest=100, plain=plain)
    return Measured(step=50, evaluations=[one], code={"uneven": LINE} if read else {})


@pytest.mark.parametrize("kind", ["apart", "scaled", "anew", "drops", "kept"])
def test_each_kind_is_told(kind: str) -> None:
    found = told(RULE, unfair(kind))
    assert (found.severity, found.since, found.variant) == ("warning", 40, kind)
    assert found.numbers == {"share": 0.3, "score": 3.0, "other": 10.0}


def dropping(*, share: float) -> Measured:
    return unfair("drops", share=share)


def sorted_by(*, excess: float) -> Measured:
    measured = unfair("apart")
    measured.labels.excess = excess
    return measured


def test_of_sorted_data_the_scale_of_the_first_batches_is_not_judged() -> None:
    assert check_threshold(RULE, sorted_by, "max_excess", {"excess": 4.1}, {"excess": 3.9}) is None
    assert told(RULE, sorted_by(excess=3.9)).variant == "apart"


THRESHOLDS: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("min_dropped_share_warning", dropping, {"share": 0.019}, {"share": 0.021}),
    ("min_difference_warning", uneven, {"plain": 0.52}, {"plain": 0.53}),
]


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: Any, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    slight = check_threshold(RULE, build, name, inside, beyond)
    assert slight is not None
    assert slight.severity == "advice"


def test_samples_that_are_drawn_anew_only_at_first_are_silent() -> None:
    assert verdict(RULE, unfair("anew", share=math.nan)) is None


def test_a_policy_that_acts_evaluates_nothing() -> None:
    measured = unfair("anew")
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None


def test_a_mean_of_uneven_batches_is_told_with_its_line() -> None:
    found = told(RULE, uneven())
    assert (found.variant, found.line, found.numbers) == ("uneven", LINE, {"smallest": 10, "largest": 100})
    assert (found.severity, told(RULE, uneven(plain=math.nan)).severity) == ("warning", "advice")


def test_even_batches_and_means_over_samples_are_silent() -> None:
    assert verdict(RULE, uneven(smallest=100, samples=200)) is None
    assert verdict(RULE, uneven(read=False)) is None


def test_all_samples_normalised_together_are_worth_a_word() -> None:
    line = CodeLine("train.py", 12)
    found = told(RULE, Measured(step=9, code={"joint": line}))
    assert (found.severity, found.variant, found.line) == ("advice", "joint", line)
    assert verdict(RULE, Measured(code={"joint": line})) is None


def padded(*, left: int = 300, gaps: float = 0.0, dense: bool = True, read: bool = True) -> Measured:
    """Of 1,000 labels so many are none."""
    facts = LabelFacts("classes", 4, {1: 500, 2: 500 - left, 0: left}, seen=1000, dense=dense, ignored=0)
    return Measured(
        step=50, labels=facts, interventions={"": Intervention("", 2, gaps=gaps)},
        evaluations=uneven().evaluations, code={"all-places": LINE} if read else {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_places_share", {"left": 49}, {"left": 51}),
        ("min_gaps_share", {"gaps": 0.011}, {"gaps": 0.009}),
    ],
)
def test_each_threshold_of_counted_padding_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    value = RULE.thresholds[name].value
    assert value == (0.05 if name == "min_places_share" else 0.01)
    assert verdict(RULE, padded(**inside)) is None
    assert told(RULE, padded(**beyond)).variant == "places"


def test_an_accuracy_over_padding_is_told_with_its_line() -> None:
    found = told(RULE, padded())
    assert (found.severity, found.line, found.numbers) == ("warning", LINE, {"share": pytest.approx(0.3)})
    assert verdict(RULE, padded(dense=False)) is None
    assert verdict(RULE, padded(read=False)) is None


@pytest.mark.parametrize(("times", "found"), [(24, True), (26, False)])
def test_what_is_asked_between_most_steps_acts_and_is_no_evaluation(times: int, found: bool) -> None:
    measured = unfair("anew")
    measured.evaluations = [Evaluation(step, 1, 8, math.nan, math.nan, False, math.nan) for step in range(times)]
    assert (verdict(RULE, measured) is not None) == found


def test_the_line_that_scales_the_held_out_data_by_themselves_is_named() -> None:
    measured = Measured(step=50, unfair={"scaled": Unfair(5, score=1e-7, other=0.1)}, code={"own": LINE})
    assert told(RULE, measured).line == LINE


def test_pictures_that_are_known_once_they_are_turned() -> None:
    measured = Measured(step=60, unfair={"turned": Unfair(60, share=0.9, score=0.1, how="x.flip(3)")})
    found = told(RULE, measured)
    assert (found.variant, found.numbers["how"], found.remedies) == ("turned", "x.flip(3)", ("same-preparation",))


def test_held_out_data_scaled_by_themselves_in_the_source_are_told_once_they_are_evaluated() -> None:
    measured = Measured(step=9, code={"itself": CodeLine("train.py", 4)})
    assert verdict(RULE, measured) is None
    measured.evaluations.append(Evaluation(9, 2, 64, 0.5, 0.5, False, 0.0))
    assert said(told(RULE, measured)) == ("warning", "itself")


def test_a_mean_of_scores_that_have_none_is_worth_a_word() -> None:
    measured = Measured(step=9, code={"curved": CodeLine("train.py", 4)})
    measured.evaluations.append(Evaluation(9, 1, 64, 0.5, 0.5, False, 0.0))
    assert verdict(RULE, measured) is None
    measured.evaluations.append(Evaluation(9, 2, 64, 0.5, 0.5, False, 0.0))
    assert said(told(RULE, measured)) == ("advice", "curved")
