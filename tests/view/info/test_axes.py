"""Steps, epochs and time: where the steps of a run lie."""

import pytest

from danlu.store.run_history import RunHistory
from danlu.view.info.axes import axes_of, track, unit_of
from danlu.view.info.curves import CurveQuery, CurveSource, curves


def told(epochs: int, steps: int = 10, seconds: float = 2.0, extra: int = 0) -> RunHistory:
    """So many epochs of so many steps, and a few steps of another."""
    last = epochs * steps + extra
    losses = [1.0 / step for step in range(1, last + 1)]
    block = {"kind": "steps", "first": 1, "epoch": 1, "loss": losses, "lr": 0.1, "norm": None}
    ends = [
        {
            "kind": "epoch", "epoch": n, "step": n * steps, "train": {"loss": 1.0}, "validation": {"loss": 1.0},
            "best": True, "seconds": seconds,
        }
        for n in range(1, epochs + 1)
    ]  # fmt: skip
    return RunHistory.of([block, *ends])


@pytest.mark.parametrize(
    ("history", "axes"),
    [(told(2), ["step", "epoch", "time"]), (told(2, seconds=0.0), ["step", "epoch"]), (told(0, extra=5), ["step"])],
)
def test_only_what_a_run_knows_of_is_offered(history: RunHistory, axes: list[str]) -> None:
    assert axes_of([history]) == axes
    assert axes_of([history, told(0, extra=3)]) == ["step"]


def test_epochs_end_where_they_end_and_the_last_pace_goes_on() -> None:
    along = track(told(3, extra=5), "epoch")
    assert along.at([0, 5, 10, 30, 35]) == pytest.approx([0, 0.5, 1, 3, 3.5])


def test_time_runs_at_the_pace_of_each_epoch() -> None:
    entries = [
        {"kind": "epoch", "epoch": n, "step": 10 * n, "train": {}, "seconds": float(n)} for n in (1, 2)
    ]  # fmt: skip
    assert track(RunHistory.of(entries), "time").at([5, 10, 15, 20, 30]) == pytest.approx([0.5, 1, 2, 3, 5])


@pytest.mark.parametrize(("seconds", "unit"), [(5.0, "seconds"), (200.0, "minutes"), (4000.0, "hours")])
def test_long_trainings_are_told_in_greater_units(seconds: float, unit: str) -> None:
    assert unit_of([told(2, seconds=seconds)])[0] == unit


@pytest.mark.parametrize("axis", ["step", "epoch", "time"])
def test_a_stretch_has_finer_points_and_the_same_numbers(axis: str) -> None:
    history = told(40, steps=100)
    whole = curves({"a": CurveSource(history)}, CurveQuery(axis, most=200)).runs[0].loss
    low, high = whole.steps[60], whole.steps[80]
    part = curves({"a": CurveSource(history)}, CurveQuery(axis, low=low, high=high, most=1000)).runs[0].loss
    inside = {at: value for at, value in zip(whole.steps, whole.values, strict=True) if low <= at <= high}
    fine = dict(zip(part.steps, part.values, strict=True))
    assert len(fine) > 4 * len(inside)
    assert inside.items() <= fine.items()
    assert part.steps[0] < low < high < part.steps[-1], "one more on either side, so that the line goes on"


def test_the_smoothed_curve_of_a_stretch_is_that_of_the_whole() -> None:
    history = told(40, steps=100)
    every = CurveQuery(sigma=5.0, most=10_000)
    whole = curves({"a": CurveSource(history)}, every).runs[0].smoothed
    part = curves({"a": CurveSource(history)}, CurveQuery(sigma=5.0, low=1000, high=1100, most=10_000)).runs[0].smoothed
    known = dict(zip(whole.steps, whole.values, strict=True))
    assert len(part) >= 100
    assert list(part.values) == pytest.approx([known[at] for at in part.steps])


def test_an_axis_that_not_all_runs_have_is_that_of_steps() -> None:
    runs = {"a": CurveSource(told(2)), "b": CurveSource(told(0, extra=5))}
    assert curves(runs, CurveQuery("time")).axis == "step"
