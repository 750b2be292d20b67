"""terminal-bootstrapped: told of targets that do not end with the episode."""

from danlu.base.records import CodeLine
from danlu.watch.conduct import Rewarded
from danlu.watch.measured import Measured
from danlu.watch.rules.terminal_bootstrapped import RULE
from measurements import check_threshold, told, verdict

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


def ends(*, count: int = 8, exact: int = 0, plain: int = 0, cleared: int = 0, known: bool = True) -> Measured:
    """As many ends among 40 samples, of which each has a reward."""
    found = Rewarded(count, exact, 40 - count, plain, count, cleared)
    return Measured(step=9, rewarded=found, code={"bootstrap": LINE} if known else {})


def test_targets_at_ends_tell_which_way_they_are_wrong() -> None:
    assert told(RULE, ends()).variant == "ends"
    assert told(RULE, ends(plain=32)).variant == "inverted"
    assert told(RULE, ends(cleared=8)).variant == "cleared"
    assert check_threshold(RULE, ends, "min_ends", {"count": 7}, {"count": 8}) is None


def test_rewards_alone_at_ends_are_right_whatever_the_source_looks_like() -> None:
    assert verdict(RULE, ends(exact=8)) is None
    masked = ends(exact=8)
    masked.code["terminal"] = LINE
    assert verdict(RULE, masked) is None
    assert verdict(RULE, ends(exact=2)) is None  # some were ended by time, and are worth what follows
    assert verdict(RULE, ends(known=False)) is None  # targets that are no rewards with what follows
