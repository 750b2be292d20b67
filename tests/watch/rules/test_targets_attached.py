"""targets-attached: told of a target with a gradient, where the source adds a reward and a discounted value."""

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.targets_attached import RULE
from measurements import check_threshold, told, verdict

LINE = CodeLine("train.py", 31)


def attached(*, steps: int = 2, read: bool = True) -> Measured:
    return Measured(step=9, attached=steps, code={"bootstrap": LINE} if read else {})


def test_each_threshold_decides() -> None:
    assert check_threshold(RULE, attached, "min_steps", {"steps": 1}, {"steps": 2}) is None


def test_it_is_told_with_its_line() -> None:
    assert (told(RULE, attached()).severity, told(RULE, attached()).line) == ("error", LINE)


def test_other_differences_of_two_answers_are_silent() -> None:
    assert verdict(RULE, attached(read=False)) is None
