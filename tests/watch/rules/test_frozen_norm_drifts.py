"""frozen-norm-drifts: told of frozen normalisations in training mode."""

from danlu.watch.measured import Measured
from danlu.watch.rules.frozen_norm_drifts import RULE
from measurements import check_threshold, told, verdict


def drifted(*, shift: float = 0.9) -> Measured:
    return Measured(step=9, drifting={"trunk.1": shift, "trunk.4": shift / 2, "trunk.7": 0.0})


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, drifted, "min_shift", {"shift": 0.29}, {"shift": 0.31}) is None


def test_they_are_told_by_name() -> None:
    found = told(RULE, drifted())
    assert (found.severity, found.where) == ("warning", ("trunk.1", "trunk.4"))
    assert found.numbers == {"norms": 2, "shift": 0.9}


def test_where_none_drifts_it_is_silent() -> None:
    assert verdict(RULE, Measured(step=9)) is None
