"""terminal-bootstrapped: told of targets that do not end with the episode."""

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.terminal_bootstrapped import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 31)


def test_it_is_told_with_its_line() -> None:
    found = told(RULE, Measured(step=3, code={"terminal": LINE}))
    assert (found.severity, found.line) == ("error", LINE)


def test_what_was_not_read_or_has_not_run_is_silent() -> None:
    assert verdict(RULE, Measured(step=3)) is None
    assert verdict(RULE, Measured(code={"terminal": LINE})) is None


def test_an_end_by_time_alone_is_told_where_a_next_value_is_added() -> None:
    found = told(RULE, Measured(step=3, code={"by-time": LINE, "bootstrap": CodeLine("train.py", 40)}))
    assert (found.variant, found.line) == ("time", LINE)
    assert verdict(RULE, Measured(step=3, code={"by-time": LINE})) is None
