"""no-update: told of steps that change no weight, each by its cause."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rates import usual_rates
from danlu.watch.rules.no_update import RULE
from measurements import check_threshold, series, told, training, verdict


def still(*, measurements: int = 4, rate: float = 0.1, gradient: float = 0.3, without: float = 0.0) -> Measured:
    measured = training(lambda step: 2.3, 40, rate=rate, update=0.0)
    optimiser = measured.optimisers[0]
    optimiser.unmoved = series([0.0, *[1.0] * measurements])
    optimiser.gradient, optimiser.without_gradient = series([gradient] * 5), series([without] * 5)
    return measured


def stepping(*, steps: int = 8) -> Measured:
    return Measured(step=steps, backwards=0, optimisers=[Optimiser("SGD", steps=steps)])


def going_backwards(*, backwards: int = 20) -> Measured:
    return Measured(step=0, backwards=backwards)


THRESHOLDS = [
    ("min_measurements", still, {"measurements": 3}, {"measurements": 4}),
    ("min_steps", stepping, {"steps": 7}, {"steps": 8}),
    ("min_backward_passes", going_backwards, {"backwards": 19}, {"backwards": 20}),
]


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: object, inside: dict[str, int], beyond: dict[str, int]) -> None:
    assert check_threshold(RULE, build, name, inside, beyond) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measured", "variant", "numbers"),
    [
        (still(), "", {"rate": 0.1, "steps": 40}),
        (still(rate=0.0), "zero-rate", {"rate": 0.0}),
        (still(gradient=0.0), "zero-gradient", {"steps": 40}),
        (still(without=1.0), "no-gradient", {"steps": 40}),
        (stepping(steps=30), "no-backward", {"steps": 30}),
        (going_backwards(backwards=60), "no-step", {"backwards": 60}),
        (Measured(backwards=60, foreign_steps=50), "foreign", {"backwards": 60, "steps": 50}),
    ],
    ids=["still", "zero rate", "zero gradient", "no gradient", "no backward", "no step", "foreign"],
)
def test_each_cause_is_told_with_its_numbers(measured: Measured, variant: str, numbers: dict[str, float]) -> None:
    found = told(RULE, measured)
    assert (found.severity, found.variant) == ("error", variant)
    assert numbers.items() <= found.numbers.items()


def test_it_began_with_the_first_step_that_changed_nothing() -> None:
    assert told(RULE, still()).since == 2


def test_weights_that_move_are_silent() -> None:
    assert verdict(RULE, training(lambda step: 2.3, 40)) is None


def test_steps_below_the_precision_of_the_weights_get_a_rate_too() -> None:
    found = told(RULE, training(lambda step: 2.3 - 1e-4 * step, 100, rate=1e-9, update=0.0))
    low, _, high = usual_rates("SGD")
    assert low <= next(one["optim.lr"] for one in found.remedies if "optim.lr" in one) <= high


def waiting(*, steps: int = 50, given: bool = True, ended: bool = True) -> Measured:
    """One optimizer steps, and another one does not."""
    busy, idle = Optimiser("Adam", steps=steps, owned=4), Optimiser("SGD", given=given, owned=2)
    return Measured(step=steps, backwards=steps, ended=ended, optimisers=[busy, idle])


def test_an_optimizer_that_never_steps_beside_one_that_does() -> None:
    assert told(RULE, waiting()).variant == "idle"
    assert check_threshold(RULE, waiting, "min_idle_steps", {"steps": 49}, {"steps": 50}) is None
    assert verdict(RULE, waiting(given=False)) is None
    assert verdict(RULE, waiting(ended=False)) is None  # it may begin yet


def test_gradients_that_are_set_by_hand_need_no_backward_pass() -> None:
    moving = Optimiser("Adam", steps=9, owned=4, unmoved=series([0.0] * 9))
    assert verdict(RULE, Measured(step=9, optimisers=[moving])) is None
