"""augmentation-repeats: told of random numbers that the loading draws again."""

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Draws
from danlu.watch.measured import Measured
from danlu.watch.rules.augmentation_repeats import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 7)


@pytest.mark.parametrize(
    ("why", "severity", "remedy"),
    [
        ("generator", "warning", "seed-workers"),
        ("constant", "warning", "seed-workers"),
        ("worker", "advice", "seed-by-epoch"),
        ("sample", "warning", "seed-once"),
    ],
)
def test_each_reason_has_its_words_and_its_remedy(why: str, severity: str, remedy: str) -> None:
    found = told(RULE, Measured(step=3, drawing=Draws(repeats=why, workers=2, named="rng", line=LINE)))
    assert (found.severity, found.variant, found.remedies, found.line) == (severity, why, (remedy,), LINE)


@pytest.mark.parametrize("measured", [Measured(step=3), Measured(drawing=Draws(repeats="constant"))])
def test_what_draws_anew_or_has_not_run_is_silent(measured: Measured) -> None:
    assert verdict(RULE, measured) is None
