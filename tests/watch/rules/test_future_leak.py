"""future-leak: told where earlier answers follow from the places that they are to tell."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.future_leak import RULE
from measurements import check_threshold, told, verdict


def tried(*, lag: int | None = 1, later: float = 0.2, earlier: float = 0.2) -> Measured:
    return Measured(interventions={"": Intervention("", 2, lag=lag, places=16, later=later, earlier=earlier)})


def test_each_threshold_decides() -> None:
    inside, beyond = {"later": 0.009}, {"later": 0.011}
    assert check_threshold(RULE, tried, "min_moved_share", inside, beyond) is None


def test_an_answer_that_follows_from_later_places_is_told() -> None:
    found = told(RULE, tried())
    assert (found.severity, found.variant, found.numbers["share"], found.where) == ("error", "", 0.2, ())


def test_a_mask_the_wrong_way_round_has_words_of_its_own() -> None:
    assert told(RULE, tried(earlier=0.0)).variant == "reversed"


def test_of_several_nets_the_one_is_named() -> None:
    measured = tried(later=0.0)
    measured.interventions["decoder"] = Intervention("decoder", 2, lag=1, places=8, later=0.5, earlier=0.5)
    assert told(RULE, measured).where == ("decoder",)


@pytest.mark.parametrize("lag", [None, 0, -1])
def test_a_net_that_is_not_asked_for_what_comes_next_may_look_both_ways(lag: int | None) -> None:
    assert verdict(RULE, tried(lag=lag)) is None


def test_a_masked_one_and_one_that_was_not_tried_are_silent() -> None:
    assert verdict(RULE, tried(later=0.0)) is None
    assert verdict(RULE, tried(later=math.nan)) is None
