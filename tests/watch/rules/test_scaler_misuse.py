"""scaler-misuse: told of gradients that are used while they are scaled."""

from danlu.watch.conduct import Scaling
from danlu.watch.measured import Measured
from danlu.watch.rules.scaler_misuse import RULE
from measurements import check_threshold, told, verdict


def scaled(
    *, clips: int = 0, steps: int = 0, called: int = 0, updates: int = 0, bare: int = 0, crashed: str = ""
) -> Measured:
    scaling = Scaling(clips, 4, steps, 5, called, bare, 6, updates, 1024.0)
    return Measured(step=20, crashed=crashed, scaling=scaling)


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, scaled, "min_steps", {"clips": 1}, {"clips": 2}) is None
    assert check_threshold(RULE, scaled, "min_steps", {"steps": 1}, {"steps": 2}) is None
    assert check_threshold(RULE, scaled, "min_steps", {"bare": 1}, {"bare": 2}) is None


def test_clipping_what_is_scaled_is_told() -> None:
    found = told(RULE, scaled(clips=20))
    assert (found.severity, found.since, found.variant, found.numbers["scale"]) == ("error", 4, "", 1024.0)


def test_a_step_of_the_optimiser_itself_is_told() -> None:
    assert (told(RULE, scaled(steps=9)).variant, told(RULE, scaled(steps=9)).since) == ("step", 5)
    assert told(RULE, scaled(steps=1, crashed="AssertionError")).variant == "step"


def test_an_update_that_never_came_is_told() -> None:
    assert told(RULE, scaled(called=2, crashed="RuntimeError")).variant == "update"
    assert verdict(RULE, scaled(called=2)) is None
    assert verdict(RULE, scaled(called=2, updates=1, crashed="RuntimeError")) is None


def test_gradients_that_are_unscaled_are_silent() -> None:
    assert verdict(RULE, scaled(called=20, updates=20)) is None


def test_a_backward_pass_of_the_loss_itself_is_told() -> None:
    found = told(RULE, scaled(bare=9, called=9, updates=9))
    assert (found.variant, found.since, found.remedies) == ("bare", 6, ("backward-scaled",))
