"""frozen-norm-drifts: told of frozen normalisations in training mode."""

from danlu.watch.measured import Measured
from danlu.watch.rules.frozen_norm_drifts import RULE
from measurements import told, verdict


def test_they_are_told_by_name() -> None:
    found = told(RULE, Measured(step=9, drifting=("trunk.1", "trunk.4")))
    assert (found.severity, found.where, found.numbers) == ("warning", ("trunk.1", "trunk.4"), {"norms": 2})


def test_where_none_drifts_it_is_silent() -> None:
    assert verdict(RULE, Measured(step=9)) is None
