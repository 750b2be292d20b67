"""dead-relu: told of units that stay 0 for every sample, where the net cannot spare them."""

import pytest

from danlu.watch.layer_facts import Activation
from danlu.watch.measured import Measured
from danlu.watch.rules.dead_relu import RULE
from measurements import check_threshold, fallen, series, told, verdict


def dying(
    *, share: float = 0.6, measurements: int = 3, lasting: int = 20, units: int = 4, gone: float = 0.0
) -> Measured:
    measured = fallen(gone, ended=False)
    steps = [10 + lasting * number // max(1, measurements - 1) for number in range(measurements)]
    measured.activations["0"] = Activation(
        "0", "relu", last=False, units=units, dead=series([share] * len(steps), steps)
    )
    return measured


def test_where_the_loss_is_no_measure_of_progress_it_is_advice() -> None:
    measured = dying()
    assert told(RULE, measured).severity == "warning"
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None  # a net that may have learnt can spare them
    measured = dying(share=0.95)
    measured.weighs_samples = True
    assert told(RULE, measured).severity == "advice"


THRESHOLDS = [
    ("min_dead_share", {"share": 0.49}, {"share": 0.51}),
    ("min_measurements", {"measurements": 2}, {"measurements": 3}),
    ("min_lasting_steps", {"lasting": 19}, {"lasting": 20}),
    ("min_units", {"units": 3}, {"units": 4}),
    ("max_progress_share", {"gone": 0.52}, {"gone": 0.48}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, dying, name, inside, beyond) is None


def test_nearly_all_units_are_an_error() -> None:
    at_ease = check_threshold(RULE, dying, "min_dead_share_error", {"share": 0.89}, {"share": 0.91})
    assert at_ease is not None
    assert at_ease.severity == "warning"
    assert told(RULE, dying(share=0.95, gone=0.9)).severity == "advice"


def test_dead_units_are_told_with_their_share_and_since_when() -> None:
    found = told(RULE, dying(share=0.7, units=64))
    assert (found.severity, found.since, found.where) == ("warning", 10, ("0",))
    assert found.numbers == {"share": 0.7, "layer": "0", "units": 64, "count": 1}


def test_units_that_wake_are_not_dead() -> None:
    measured = dying()
    measured.activations["0"].dead.add(40, 0.1)
    assert verdict(RULE, measured) is None


def test_a_training_that_has_ended_shows_no_more() -> None:
    measured = dying(lasting=2)
    assert verdict(RULE, measured) is None
    measured.ended = True
    assert verdict(RULE, measured) is not None
