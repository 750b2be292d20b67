"""pairs-broken: told of targets in an order of their own."""

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.pairs_broken import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 9)


def test_it_is_told_with_its_line() -> None:
    found = told(RULE, Measured(step=3, code={"pairs": LINE}))
    assert (found.severity, found.line) == ("error", LINE)


def test_what_was_not_read_or_has_not_run_is_silent() -> None:
    assert verdict(RULE, Measured(step=3)) is None
    assert verdict(RULE, Measured(code={"pairs": LINE})) is None
