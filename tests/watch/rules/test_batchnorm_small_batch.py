"""batchnorm-small-batch: told of batch normalisation that sees few samples at a time."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.batchnorm_small_batch import RULE
from measurements import check_threshold, series, told, verdict


def trained(*, batch: int = 4, measurements: int = 3) -> Measured:
    measured = Measured(step=20)
    measured.net.norms = ("1", "4")
    measured.inputs.batch = series([batch] * measurements)
    measured.training_modes = series([1.0] * measurements)
    return measured


THRESHOLDS = [
    ("max_batch_samples", {"batch": 5}, {"batch": 4}),
    ("min_measurements", {"measurements": 2}, {"measurements": 3}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, int], beyond: dict[str, int]) -> None:
    assert check_threshold(RULE, trained, name, inside, beyond) is None


def test_small_batches_are_told_with_their_size() -> None:
    found = told(RULE, trained(batch=2))
    assert (found.severity, found.where) == ("warning", ("1", "4"))
    assert found.numbers == {"batch": 2, "norms": 2}


def test_the_last_batch_of_an_epoch_may_be_small() -> None:
    measured = trained(batch=32, measurements=9)
    measured.inputs.batch.add(10, 1)
    assert verdict(RULE, measured) is None


def test_frozen_statistics_estimate_nothing() -> None:
    measured = trained()
    measured.net.frozen_norms = True
    assert verdict(RULE, measured) is None
