"""Learning curves: what a journal's steps and epochs say, ready to be drawn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from danlu.base.records import Score
from danlu.base.retold import retold
from danlu.base.smoothing import smooth
from danlu.store.run_history import RunHistory
from danlu.view.info.thin import ThinnedCurve, finite, thin

MOST_POINTS = 2000


@dataclass(frozen=True)
class Event:
    """A finding on the time axis: where it began."""

    step: int
    rule: str
    severity: str
    title: str


@dataclass(frozen=True)
class RunCurves:
    """One run's curves over its steps. `train` and `validation` hold the scores of whole epochs by name (loss,
    accuracy …); `best` is the step of the epoch with the best validation score."""

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


@dataclass(frozen=True)
class Curves:
    """The curves of one run, or of several to be laid over each other."""

    runs: tuple[RunCurves, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores besides the loss, those people look at first in front."""
        names = {name for run in self.runs for part in (run.train, run.validation) for name in part}
        first = [name for name in ("accuracy", "r2", "perplexity") if name in names]
        return (*first, *sorted(names - {"loss", *first}))


def curves(histories: Mapping[str, RunHistory], beta: float = 0.1, most: int = MOST_POINTS) -> Curves:
    """The curves of runs by their labels; `beta` is the share of the newest loss in the smoothed curve."""
    return Curves(tuple(_run_curves(label, history, beta, most) for label, history in histories.items()))


def _run_curves(label: str, history: RunHistory, beta: float, most: int) -> RunCurves:
    steps = history.steps
    bests = [epoch.step for epoch in history.epochs if epoch.best]
    return RunCurves(
        label=label,
        loss=thin(steps, history.loss, most),
        smoothed=thin(steps, smoothed(history.loss, beta), most),
        lr=_without_repeats(thin(steps, history.lr, most)),
        norm=thin(steps, history.norm, most) if any(value is not None for value in history.norm) else ThinnedCurve(),
        train=_scores([(epoch.step, epoch.train) for epoch in history.epochs]),
        validation=_scores([(epoch.step, epoch.validation) for epoch in history.epochs]),
        events=tuple(Event(one.since, one.rule, one.severity, one.title) for one in map(retold, history.findings)),
        best=bests[-1] if bests else None,
        diverged=next((step for step, loss in zip(steps, history.loss, strict=True) if not math.isfinite(loss)), None),
        last=steps[-1] if steps else 0,
    )


def smoothed(losses: Sequence[float], beta: float) -> list[float | None]:
    """The losses smoothed over those that are finite; None where one is not.

    >>> smoothed([1.0, float("nan"), 0.0], beta=0.5)
    [1.0, None, 0.5]
    """
    curve = iter(smooth((loss for loss in losses if math.isfinite(loss)), beta))
    return [next(curve) if math.isfinite(loss) else None for loss in losses]


def _scores(scores: Sequence[tuple[int, Score | None]]) -> dict[str, ThinnedCurve]:
    """A curve for each name of a score; `scores` are those of the epochs, with their last steps."""
    names = dict.fromkeys(name for _, score in scores for name in score or ())
    found = {name: [(step, score[name]) for step, score in scores if score and name in score] for name in names}
    return {
        name: ThinnedCurve(tuple(step for step, _ in points), tuple(finite(value) for _, value in points))
        for name, points in found.items()
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
