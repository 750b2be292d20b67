"""targets-not-shifted: told where a causal net is asked for the token that it reads."""

import math

import pytest

from danlu.watch.conduct import Copied
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.targets_not_shifted import RULE
from measurements import check_threshold, told, verdict


def tried(*, lag: int | None = 0, later: float = 0.0, tokens: bool = True, places: int = 16) -> Measured:
    return Measured(interventions={"": Intervention("", 2, lag=lag, places=places, later=later, tokens=tokens)})


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [("max_moved_share", {"later": 0.0011}, {"later": 0.0009}), ("min_places", {"places": 3}, {"places": 4})],
)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, tried, name, inside, beyond) is None


def test_the_same_token_is_told_with_the_places() -> None:
    found = told(RULE, tried())
    assert (found.severity, found.numbers["places"]) == ("error", 16)


@pytest.mark.parametrize("lag", [None, 1, -1])
def test_other_targets_are_silent(lag: int | None) -> None:
    assert verdict(RULE, tried(lag=lag)) is None


def test_autoencoders_are_silent() -> None:
    assert verdict(RULE, tried(later=0.3)) is None
    assert verdict(RULE, tried(later=math.nan)) is None
    assert verdict(RULE, tried(tokens=False)) is None


@pytest.mark.parametrize(("in_time", "variant"), [(False, "input"), (True, "window")])
def test_a_target_among_the_inputs_is_told(in_time: bool, variant: str) -> None:
    def copied(*, steps: int = 8) -> Measured:
        return Measured(copied=Copied(steps, 2, 6, in_time=in_time))

    assert check_threshold(RULE, copied, "min_steps", {"steps": 4}, {"steps": 5}) is None
    found = told(RULE, copied())
    assert (found.severity, found.variant, found.numbers) == ("error", variant, {"place": 3, "places": 6})


def test_targets_shifted_twice_are_told() -> None:
    def twice(*, places: int) -> Measured:
        return tried(lag=2, places=places)

    assert check_threshold(RULE, twice, "min_places", {"places": 3}, {"places": 4}) is None
    assert told(RULE, tried(lag=2, later=0.3)).variant == "twice"
    assert verdict(RULE, tried(lag=2, tokens=False)) is None


def test_a_masked_model_that_is_given_what_it_is_asked_for() -> None:
    measured = tried(lag=0, later=0.5)
    assert verdict(RULE, measured) is None
    measured.interventions[""].few = True
    assert told(RULE, measured).variant == "masked"
