"""loss-below-floor: told of a loss that cannot be."""

from danlu.base.records import CodeLine
from danlu.watch.loss_facts import LowLoss
from danlu.watch.measured import Measured
from danlu.watch.rules.loss_below_floor import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 7)


def lost(*, low: float = 0.0, high: float = 3.0, weighted: bool = False) -> Measured:
    return Measured(low_loss=LowLoss(50, "binary_cross_entropy", -137.0, low, high, weighted, LINE))


def test_targets_that_are_no_probabilities_are_told_with_the_line() -> None:
    found = told(RULE, lost())
    assert (found.severity, found.variant, found.since, found.line) == ("error", "", 50, LINE)
    assert found.numbers["value"] == -137.0


def test_a_negative_weight_is_told_where_the_targets_are_in_order() -> None:
    assert told(RULE, lost(high=1.0, weighted=True)).variant == "weights"
    assert told(RULE, lost(weighted=True)).variant == ""


def test_losses_above_their_floor_are_silent() -> None:
    assert verdict(RULE, Measured()) is None
