"""gradients-accumulate: told of steps in a row whose gradients nobody cleared."""

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.gradients_accumulate import RULE
from measurements import check_threshold, told, verdict


def uncleared(*, steps: int = 6) -> Measured:
    return Measured(step=40, optimisers=[Optimiser("SGD"), Optimiser("SGD", stale=steps, stale_since=9)])


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, uncleared, "min_steps", {"steps": 5}, {"steps": 6}) is None


def test_the_steps_are_counted_from_the_first_one() -> None:
    found = told(RULE, uncleared(steps=31))
    assert (found.severity, found.since, found.numbers) == ("error", 9, {"steps": 31})


def test_gradients_that_are_cleared_are_silent() -> None:
    assert verdict(RULE, uncleared(steps=0)) is None


def mixed(*, steps: int = 6, share: float = 1.0) -> Measured:
    one = Optimiser("Adam", steps=int(100 * share), mixed=steps, mixed_since=4)
    return Measured(step=100, optimisers=[Optimiser("Adam", steps=100), one])


def test_gradients_of_a_loss_that_another_one_stepped_for_are_told() -> None:
    assert check_threshold(RULE, mixed, "min_steps", {"steps": 5}, {"steps": 6}) is None
    found = told(RULE, mixed())
    assert (found.severity, found.since, found.variant, found.numbers) == ("error", 4, "mixed", {"steps": 6})


def test_an_optimiser_that_steps_now_and_then_gathers_on_purpose() -> None:
    assert verdict(RULE, mixed(share=0.2)) is None


def repeated(*, steps: int = 6) -> Measured:
    return Measured(step=40, optimisers=[Optimiser("SGD", steps=40, repeated=steps, repeated_since=2)])


def test_steps_made_twice_are_told() -> None:
    assert check_threshold(RULE, repeated, "min_steps", {"steps": 5}, {"steps": 6}) is None
    found = told(RULE, repeated())
    assert (found.severity, found.since, found.variant) == ("warning", 2, "again")


def test_steps_by_hand_whose_gradients_stay_are_told() -> None:
    measured = Measured(step=40, stale_by_hand=31)
    assert (told(RULE, measured).since, told(RULE, measured).numbers) == (10, {"steps": 31})
    measured.stale_by_hand = 5
    assert verdict(RULE, measured) is None
