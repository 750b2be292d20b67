"""Learning curves: what a journal's steps and epochs say, ready to be drawn."""

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

from danlu.base.records import Score
from danlu.base.retold import retold
from danlu.store.run_history import RunHistory
from danlu.view.info.axes import STEP, axes_of, track, unit_of
from danlu.view.info.kernel import kernel_smooth
from danlu.view.info.thin import ThinnedCurve, finite, thin

MOST_POINTS = 2000
_SIGMA = 9.487  # steps: exponential smoothing with a share of 0.1 of the newest loss


@dataclass(frozen=True)
class Event:
    """A finding on the time axis: where it began."""

    step: int
    rule: str
    severity: str
    title: str
    at: float = 0.0  # along the axis


@dataclass(frozen=True)
class CurveQuery:
    """What of the curves is wanted: along which of AXES, smoothed over how many steps (None: as the run has it), and
    which stretch of the axis, of which at most about `most` points are given."""

    axis: str = STEP
    sigma: float | None = None
    low: float = -math.inf
    high: float = math.inf
    most: int = MOST_POINTS


@dataclass(frozen=True)
class RunCurves:
    """One run's curves along an axis. `train` and `validation` hold the scores of whole epochs by name (loss, accuracy
    …). `best` is the step of the epoch with the best validation score, `scored` of the one whose weights were scored at
    the end; `best_at` and so on are their places along the axis."""

    label: str
    loss: ThinnedCurve
    smoothed: ThinnedCurve
    lr: ThinnedCurve
    norm: ThinnedCurve
    train: Mapping[str, ThinnedCurve]
    validation: Mapping[str, ThinnedCurve]
    events: tuple[Event, ...]
    best: int | None
    diverged: int | None  # the first step whose loss was not finite
    last: int  # the newest step
    best_at: float | None = None
    scored: int | None = None
    scored_at: float | None = None
    diverged_at: float | None = None
    last_at: float = 0.0
    clip: float | None = None  # the norm to which gradients are clipped


@dataclass(frozen=True)
class Curves:
    """The curves of one run, or of several to be laid over each other, along `axis`; of time in `unit`."""

    runs: tuple[RunCurves, ...]
    axis: str = STEP
    unit: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores besides the loss, those people look at first in front."""
        names = {name for run in self.runs for part in (run.train, run.validation) for name in part}
        first = [name for name in ("accuracy", "r2", "perplexity") if name in names]
        return (*first, *sorted(names - {"loss", *first}))


@dataclass(frozen=True)
class CurveSource:
    """A run to be drawn: its course, and what its recipe says of it."""

    history: RunHistory
    sigma: float = _SIGMA  # steps that its smoothed curve looks to each side
    clip: float | None = None
    best_is_scored: bool = False
    made: dict[Any, RunCurves] = field(default_factory=dict[Any, RunCurves], repr=False, compare=False)
    """Curves of it by what was wanted: computed once for all pictures and both languages."""


@dataclass(frozen=True)
class _Cut:
    """From steps to places along the axis, within the stretch that is wanted."""

    wanted: CurveQuery
    places: Sequence[float]  # of the steps of the run
    first: int
    end: int


def curves(runs: Mapping[str, CurveSource], wanted: CurveQuery | None = None) -> Curves:
    """The curves of runs by their labels, along the axis that is wanted, where they all have it."""
    wanted = wanted or CurveQuery()
    histories = [run.history for run in runs.values()]
    axis = wanted.axis if wanted.axis in axes_of(histories) else STEP
    unit, seconds = unit_of(histories)
    found = tuple(_run_curves(label, run, axis, seconds, wanted) for label, run in runs.items())
    return Curves(found, axis, unit)


def _run_curves(label: str, run: CurveSource, axis: str, unit: float, wanted: CurveQuery) -> RunCurves:
    key = axis, unit, wanted
    if key not in run.made:
        run.made[key] = _numbers(run, axis, unit, wanted)
    along = track(run.history, axis, unit)
    events = tuple(
        Event(one.since, one.rule, one.severity, one.title, along.at([one.since])[0])
        for one in map(retold, run.history.findings)
    )
    return replace(run.made[key], label=label, events=events)


def _numbers(run: CurveSource, axis: str, unit: float, wanted: CurveQuery) -> RunCurves:
    """All of a run's curves that is the same in every language."""
    history, along = run.history, track(run.history, axis, unit)
    steps = history.steps
    places = along.at(steps)
    # One more on either side, so that a line leaves the picture where the curve does.
    first = max(0, bisect.bisect_left(places, wanted.low) - 1)
    end = min(len(places), bisect.bisect_right(places, wanted.high) + 1)
    cut = _Cut(wanted, places, first, end)
    ends = [epoch.step for epoch in history.epochs]
    bests = [epoch.step for epoch in history.epochs if epoch.best]
    best = bests[-1] if bests else None
    scored = None if not history.finished or best is None else best if run.best_is_scored else ends[-1]
    broken = numpy.flatnonzero(~numpy.isfinite(numpy.array(history.loss, dtype=float)))
    diverged = steps[broken[0]] if len(broken) else None
    ends_at = along.at(ends)

    def at(step: int | None) -> float | None:
        return None if step is None else along.at([step])[0]

    return RunCurves(
        label="",
        loss=_thinned(cut, history.loss),
        smoothed=_smoothed(cut, history.loss, run.sigma if wanted.sigma is None else wanted.sigma),
        lr=_without_repeats(_thinned(cut, history.lr)),
        norm=_thinned(cut, history.norm) if any(value is not None for value in history.norm) else ThinnedCurve(),
        train=_scores(ends_at, [epoch.train for epoch in history.epochs], wanted.most),
        validation=_scores(ends_at, [epoch.validation for epoch in history.epochs], wanted.most),
        events=(),
        best=best,
        diverged=diverged,
        last=steps[-1] if steps else 0,
        best_at=at(best),
        scored=scored,
        scored_at=at(scored),
        diverged_at=at(diverged),
        last_at=places[-1] if places else 0.0,
        clip=run.clip,
    )


def _thinned(cut: _Cut, values: Sequence[float | None]) -> ThinnedCurve:
    return thin(cut.places[cut.first : cut.end], values[cut.first : cut.end], cut.wanted.most)


def _smoothed(cut: _Cut, losses: Sequence[float], sigma: float) -> ThinnedCurve:
    """Smoothed with its neighbours beyond the stretch, so that it is the same curve seen more closely."""
    beyond = math.ceil(4 * sigma)
    first, end = max(0, cut.first - beyond), min(len(losses), cut.end + beyond)
    rows, values = kernel_smooth(losses[first:end], sigma)
    left, right = bisect.bisect_left(rows, cut.first - first), bisect.bisect_right(rows, cut.end - 1 - first)
    found = thin(rows[left:right], values[left:right], cut.wanted.most)
    return ThinnedCurve(tuple(_between(cut.places, row + first) for row in found.steps), found.values)


def _between(places: Sequence[float], row: float) -> float:
    """The place of a row that may lie between two."""
    before = int(row)
    share = row - before
    return places[before] if not share else (1 - share) * places[before] + share * places[before + 1]


def _scores(places: Sequence[float], scores: Sequence[Score | None], most: int) -> dict[str, ThinnedCurve]:
    """A curve for each name of a score; `scores` are those of the epochs, `places` where they ended."""
    names = dict.fromkeys(name for score in scores for name in score or ())
    points = [(at, score) for at, score in zip(places, scores, strict=True) if score]
    found = {name: [(at, score[name]) for at, score in points if name in score] for name in names}
    return {
        name: thin([at for at, _ in told], [finite(value) for _, value in told], most) for name, told in found.items()
    }


def _without_repeats(trace: ThinnedCurve) -> ThinnedCurve:
    """A curve of stairs by its corners: points within a flat stretch say nothing."""
    values = trace.values
    corner = [
        at in (0, len(values) - 1) or not values[at - 1] == values[at] == values[at + 1] for at in range(len(values))
    ]
    return ThinnedCurve(
        tuple(step for step, keep in zip(trace.steps, corner, strict=True) if keep),
        tuple(value for value, keep in zip(values, corner, strict=True) if keep),
    )
