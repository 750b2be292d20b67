"""The panels of a claim's figure, out of its trainings: losses by epoch, and the measure along the condition."""

import math
from collections.abc import Mapping, Sequence

from danlu.claims.evidence import CurveData, Plot
from danlu.claims.training import Measure, Training


def curves(trials: Mapping[str, Sequence[Training]]) -> Plot:
    """The training loss by epoch of each level, with a band that holds eight seeds of ten."""
    courses = {level: [(trial.epochs, trial.train) for trial in members] for level, members in trials.items()}
    series = [_course(level, members) for level, members in courses.items() if any(epochs for epochs, _ in members)]
    return Plot("epoch", "train-loss", series, log_y=_positive(series))


def turning(trials: Sequence[Training]) -> Plot:
    """The losses of training and test part by epoch, with bands: where the second turns, the net begins to overfit."""
    courses = {
        "train-loss": [(trial.epochs, trial.train) for trial in trials],
        "test-loss": [(trial.epochs, trial.judged) for trial in trials],
    }
    series = [_course(label, members) for label, members in courses.items()]
    return Plot("epoch", "loss", series, log_y=_positive(series))


def _course(label: str, members: Sequence[tuple[Sequence[int], Sequence[float | None]]]) -> CurveData:
    """The median by epoch, with a band that holds eight of ten."""
    shown = [(epochs, losses) for epochs, losses in members if epochs]
    epochs = shown[0][0] if shown else []
    rows = [[losses[place] for _, losses in shown if place < len(losses)] for place in range(len(epochs))]
    finite = [sorted(loss for loss in row if loss is not None) for row in rows]
    lows, highs = ([_at(row, share) for row in finite] for share in (0.1, 0.9))
    return CurveData(label, epochs, [_at(row, 0.5) for row in finite], lows, highs)


def boundary(condition: str, found: Mapping[str, Mapping[str, Sequence[Training]]], measure: Measure) -> Plot:
    """The measure of each level along the condition, with all but the lowest and highest tenth of its seeds."""
    labels = list(found)
    series: list[CurveData] = []
    for level in next(iter(found.values())):
        values = [
            sorted(value for trial in trials[level] if not math.isnan(value := measure.value(trial)))
            for trials in found.values()
        ]
        lows, highs = ([_at(row, share) for row in values] for share in (0.1, 0.9))
        middle = [_at(row, 0.5) for row in values]
        series.append(
            CurveData(level, [float(place) for place in range(len(labels))], middle, lows, highs, points=True)
        )
    return Plot(condition, measure.name, series, ticks=labels)


def _at(ordered: Sequence[float], share: float) -> float | None:
    return ordered[round(share * (len(ordered) - 1))] if ordered else None


def _positive(series: Sequence[CurveData]) -> bool:
    values = [value for one in series for value in one.ys if value is not None]
    return bool(values) and min(values) > 0 and max(values) > 10 * min(values)
