"""positions-missing: told of a net to which the order of a sequence is nothing."""

from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.positions_missing import RULE
from measurements import check_threshold, told, verdict


def ordered(*, order: float = 0.0, name: str = "") -> Measured:
    return Measured(step=20, interventions={name: Intervention(name, 2, order=order)})


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, ordered, "max_moved_share", {"order": 2.1e-4}, {"order": 1.9e-4}) is None


def test_it_is_told_of_the_module_that_was_called() -> None:
    found = told(RULE, ordered(order=1e-6, name="encoder"))
    assert (found.severity, found.where, found.numbers) == ("warning", ("encoder",), {"share": 1e-6})


def test_what_was_not_tried_is_silent() -> None:
    assert verdict(RULE, ordered(order=float("nan"))) is None
