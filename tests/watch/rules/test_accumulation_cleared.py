"""accumulation-cleared: told of steps that only the last of several backward passes reaches."""

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.accumulation_cleared import RULE
from measurements import check_threshold, series, told, verdict


def cleared(*, steps: int = 3, batch: float = 8, foreign: int = 0, optimisers: int = 1) -> Measured:
    one = Optimiser("AdamW", steps=9, emptied=steps, emptied_since=2, passes=4)
    measured = Measured(step=9, optimisers=[one, *[Optimiser("SGD")] * (optimisers - 1)], foreign_steps=foreign)
    measured.inputs.batch = series([batch])
    return measured


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, cleared, "min_steps", {"steps": 2}, {"steps": 3}) is None


def test_the_passes_are_told() -> None:
    found = told(RULE, cleared())
    assert (found.severity, found.since, found.numbers) == ("error", 2, {"passes": 4, "lost": 3})


def test_who_may_clear_what_another_one_has_left_is_silent() -> None:
    assert verdict(RULE, cleared(optimisers=2)) is None
    assert verdict(RULE, cleared(foreign=5)) is None
    assert verdict(RULE, cleared(batch=1)) is None
