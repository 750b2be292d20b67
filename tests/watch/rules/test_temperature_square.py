"""temperature-square: told of a softened loss that is not scaled back."""

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.temperature_square import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 31)


def test_it_is_told_with_its_line() -> None:
    found = told(RULE, Measured(step=3, code={"temperature-square": LINE}))
    assert (found.severity, found.line) == ("warning", LINE)


def test_what_was_not_read_or_has_not_run_is_silent() -> None:
    assert verdict(RULE, Measured(step=3)) is None
    assert verdict(RULE, Measured(code={"temperature-square": LINE})) is None
