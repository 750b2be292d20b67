"""Where the time went, from the records of a run."""

import math

import pytest

import view_samples as made
from danlu.store.records import TimeSpent
from danlu.store.run_history import RunHistory
from danlu.view.figures.chart import Line, Whiskers
from danlu.view.info.time_spent import time_spent


def test_parts_and_the_rest_are_all_of_the_time() -> None:
    told = time_spent(made.sample_run(*made.time_records()).history.time)
    assert told is not None
    assert told.seconds == {"forward": 2.0, "backward": 1.0, "other": 1.0}
    assert (told.total, told.ends, told.cores) == (4.0, (2.0, 4.0), (1.0, 4.0))
    found = told.as_dict()
    assert found["processor"] == 10.0
    assert found["memory_bytes"] == 2 * 2**30
    assert (found["saving"], found["other"]) == (0.0, 1.0)
    assert "gpu_bytes" not in found


def test_a_run_that_recorded_nothing_of_it_says_nothing() -> None:
    assert time_spent([]) is None
    assert all(chart.kind not in ("time", "samples") for chart in made.run_charts(made.sample_run(), 100))


@pytest.mark.parametrize("broken", [math.nan, math.inf, -1.0])
def test_a_damaged_number_tells_nothing(broken: float) -> None:
    assert time_spent([TimeSpent(step=1, seconds=broken)]) is None
    told = time_spent([TimeSpent(step=1, seconds=2.0, forward=broken, backward=1.0, processor=broken)])
    assert told is not None
    assert told.seconds == {"backward": 1.0, "other": 1.0}
    assert told.cores == (None,)


def test_what_a_resume_does_over_is_void() -> None:
    history = RunHistory.of([*made.time_records(), *made.moment_records(), {"kind": "resume", "step": 40}])
    assert [one.step for one in history.time] == [30]
    assert [one.epoch for one in history.moments] == [1, 2]
    assert history.pictured is None


def test_the_strip_joins_its_pieces_and_says_seconds_and_shares(language: str) -> None:
    strip, cores, memory = made.CHARTS["time"]().panels
    pieces = [mark for mark in strip.marks if isinstance(mark, Whiskers)]
    assert [(piece.lows, piece.highs) for piece in pieces] == [([0.0], [2.0]), ([2.0], [3.0]), ([3.0], [4.0])]
    assert all(f"{seconds}" in piece.label for seconds, piece in zip((2, 1, 1), pieces, strict=True))
    assert [piece.label[-4:].strip() for piece in pieces] == ["50%", "25%", "25%"]
    assert [mark.ys for panel in (cores, memory) for mark in panel.marks if isinstance(mark, Line)] == [
        (1.0, 4.0), [1.0, 2.0],
    ]  # fmt: skip
    assert memory.x.label
    assert not cores.x.label
