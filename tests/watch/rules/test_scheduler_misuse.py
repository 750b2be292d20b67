"""scheduler-misuse: told of schedules stepped too often, too seldom, too early, by the wrong sign or never."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Scheduler
from danlu.watch.pass_facts import Evaluation
from danlu.watch.rules.scheduler_misuse import RULE
from measurements import check_threshold, fallen, series, told, verdict


def ran_out(*, until: int = 40, level: float = 1e-4, last: float = 1e-4, gone: float = 0.2) -> Measured:
    """Rates of 0.1, then `level` of that, and `last` of it at the last step."""
    measured = fallen(gone)
    rates = [0.1 if step <= until else 0.1 * level for step in range(1, 100)]
    measured.optimisers[0].rate = series([*rates, 0.1 * last])
    return measured


def never_called(*, steps: int = 30) -> Measured:
    measured = fallen(0.2, steps)
    measured.net.silent_scheduler = True
    return measured


def one_cycle(*, calls: int = 10) -> Measured:
    measured = fallen(0.2, 120)
    measured.schedulers.append(Scheduler("OneCycleLR", calls=calls, total=100))
    return measured


def warming(*, last: float = 0.02, calls: int = 10) -> Measured:
    """A rate that rises with each of a few calls, and was set to be 0.1."""
    measured = fallen(0.2, 120)
    measured.ended = True
    measured.schedulers.append(Scheduler("LambdaLR", calls=calls, base=0.1))
    measured.optimisers[0].rate = series([last / 4, last / 2, last])
    measured.optimisers[0].steps = 120
    return measured


def factors(*, rate: float = 1e-6, base: float = 1e-3, steps: int = 100) -> Measured:
    """A schedule of factors whose highest rate is `rate`, where the optimizer was given `base`."""
    measured = fallen(0.2, steps)
    measured.schedulers.append(Scheduler("LambdaLR", calls=steps, base=base))
    measured.optimisers[0].rate, measured.optimisers[0].highest_rate = series([rate] * 3), rate
    return measured


def ramping(*, last: float = 0.005, steps: int = 120) -> Measured:
    """A rate that rises with each step of the training, and was set to be 0.1."""
    measured = fallen(0.2, steps)
    measured.ended = True
    measured.schedulers.append(Scheduler("LambdaLR", calls=steps, base=0.1))
    measured.optimisers[0].rate = series([last / 4, last / 2, last])
    measured.optimisers[0].steps = steps
    return measured


THRESHOLDS = [
    ("max_factor", factors, {"rate": 1.1e-5}, {"rate": 0.9e-5}),
    ("max_base", factors, {"base": 0.11}, {"base": 0.09}),
    ("min_factor_steps", factors, {"steps": 99}, {"steps": 100}),
    ("min_steps", never_called, {"steps": 29}, {"steps": 30}),
    ("max_lr_ratio", ran_out, {"level": 0.011}, {"level": 0.009}),
    ("max_last_lr_ratio", ran_out, {"last": 1.1e-3}, {"last": 0.9e-3}),
    ("min_low_share", ran_out, {"until": 61}, {"until": 58}),
    ("max_progress_share", ran_out, {"gone": 0.96}, {"gone": 0.94}),
    ("max_warm_ratio", warming, {"last": 0.051}, {"last": 0.049}),
    ("max_ramp_ratio", ramping, {"last": 0.0101}, {"last": 0.0099}),
    ("min_warm_steps", ramping, {"steps": 99}, {"steps": 100}),
    ("max_called_share", one_cycle, {"calls": 26}, {"calls": 24}),
]


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: object, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, build, name, inside, beyond) is None  # type: ignore[arg-type]


def test_a_warm_up_that_the_training_does_not_outlast() -> None:
    found = told(RULE, ramping())
    assert (found.severity, found.variant, found.numbers["base"]) == ("warning", "ramp", 0.1)
    going_on = ramping()
    going_on.ended = False
    assert verdict(RULE, going_on) is None
    learnt = ramping()
    learnt.loss = fallen(0.6, 120).loss
    assert verdict(RULE, learnt) is None
    held = ramping()
    held.optimisers[0].rate = series([0.005, 0.005, 0.005])
    assert verdict(RULE, held) is None


def test_a_schedule_that_has_run_out_is_told_since_when() -> None:
    found = told(RULE, ran_out())
    assert (found.severity, found.variant, found.since) == ("warning", "fast", 41)
    assert found.numbers == {"rate": pytest.approx(1e-5), "highest": 0.1, "since": 41, "steps": 100}


def test_one_that_hardly_began_is_told_with_its_calls() -> None:
    found = told(RULE, one_cycle())
    assert (found.variant, found.numbers["calls"], found.numbers["total"]) == ("slow", 10, 100)


def test_one_that_is_never_called_is_told() -> None:
    assert (told(RULE, never_called()).variant, told(RULE, never_called()).numbers) == ("never", {"steps": 30})


@pytest.mark.parametrize(
    ("scheduler", "variant"),
    [
        (Scheduler("StepLR", calls=3, before_first_step=1), "before"),
        (Scheduler("CosineAnnealingLR", calls=100, total=20), "period"),
        (Scheduler("ReduceLROnPlateau", mode="min", metric=series([0.5, 0.7, 0.8, 0.9])), "mode"),
    ],
)
def test_each_scheduler_has_its_own_mistake(scheduler: Scheduler, variant: str) -> None:
    measured = fallen(0.5)
    measured.optimisers[0].rate.add(101, 0.05)
    measured.schedulers.append(scheduler)
    assert told(RULE, measured).variant == variant


def test_a_schedule_that_is_stepped_as_it_was_made_is_silent() -> None:
    measured = fallen(0.5)
    measured.schedulers.append(Scheduler("CosineAnnealingLR", calls=100, total=100))
    assert verdict(RULE, measured) is None


def test_a_warm_up_that_is_called_once_an_epoch_is_told() -> None:
    found = told(RULE, warming())
    assert (found.variant, found.numbers["rate"], found.numbers["base"]) == ("warming", 0.02, 0.1)
    assert verdict(RULE, warming(calls=31)) is None


def scored(*values: float, accuracy: bool, loss: float = math.nan, lowered: bool = True) -> Measured:
    """A ReduceLROnPlateau that is given these numbers after each of as many evaluations of 200 samples."""
    measured = fallen(0.0)
    steps = range(10, 10 * len(values) + 1, 10)
    measured.schedulers.append(Scheduler("ReduceLROnPlateau", mode="min", metric=series(values, steps)))
    measured.evaluations += [
        Evaluation(step + 1, 1, 200, loss, value if accuracy else math.nan, False, 0.0)
        for step, value in zip(steps, values, strict=True)
    ]
    measured.optimisers[0].rate.add(101, 0.01 if lowered else 0.1)
    return measured


@pytest.mark.parametrize("measured", [
    scored(0.1, 0.11, 0.1, 0.1, accuracy=True, loss=2.3),
    scored(0.1, 0.105, 0.1, 0.11, accuracy=False),
])  # fmt: skip
def test_an_accuracy_is_known_though_it_hardly_rises(measured: Measured) -> None:
    assert told(RULE, measured).variant == "mode"


@pytest.mark.parametrize("measured", [
    scored(0.1, 0.11, 0.1, 0.1, accuracy=True, lowered=False),
    scored(0.5, 0.45, 0.4, 0.4, accuracy=False),  # shares of errors
    scored(0.1003, 0.1051, 0.1013, 0.1122, accuracy=False),  # losses
    scored(0.1, 0.11, 0.12, accuracy=True),
])  # fmt: skip
def test_losses_and_shares_of_errors_may_be_made_small(measured: Measured) -> None:
    assert verdict(RULE, measured) is None
