"""temperature-mismatch: told of a divergence of which one side is softened."""

from danlu.base.records import CodeLine
from danlu.watch.conduct import Handed
from danlu.watch.measured import Measured
from danlu.watch.rules.temperature_mismatch import RULE
from measurements import check_threshold, told, verdict

LINE = CodeLine("train.py", 31)


def test_it_is_told_with_its_line() -> None:
    found = told(RULE, Measured(step=3, code={"temperature": LINE}))
    assert (found.severity, found.line) == ("warning", LINE)


def test_what_was_not_read_or_has_not_run_is_silent() -> None:
    assert verdict(RULE, Measured(step=3)) is None
    assert verdict(RULE, Measured(code={"temperature": LINE})) is None


def test_cosines_without_a_temperature_are_told_with_the_floor_of_the_loss() -> None:
    def cosines(*, steps: int = 5) -> Measured:
        return Measured(step=9, carried=Handed(cosines=steps, floor=2.26))

    assert check_threshold(RULE, cosines, "min_steps", {"steps": 4}, {"steps": 5}) is None
    assert (told(RULE, cosines()).variant, told(RULE, cosines()).numbers) == ("none", {"floor": 2.26})
