"""From the series of a foreign log to the records of a run: losses step by step, scores epoch by epoch."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from danlu.base.errors import Fault
from danlu.base.records import Score
from danlu.store.foreign.series import ForeignLog, Point
from danlu.store.foreign.tags import EPOCH, NORM, RATE, SCORE, meaning_of
from danlu.store.records import VERSION, EpochEnded, ImportedFrom, Record, RunEnded, RunStarted, StepsTaken

IMPORTED = "imported"
_BETTER = {"loss": -1.0, "accuracy": 1.0, "r2": 1.0, "f1": 1.0}  # by which the best epoch is known, and which way


@dataclass
class _Sorted:
    """The series of a log by what they mean; steps count from 1."""

    losses: list[Point] = field(default_factory=list[Point])
    rates: list[Point] = field(default_factory=list[Point])
    norms: list[Point] = field(default_factory=list[Point])
    epochs: list[Point] = field(default_factory=list[Point])
    scores: dict[tuple[str, str], list[Point]] = field(default_factory=dict[tuple[str, str], list[Point]])


def records_of(log: ForeignLog) -> tuple[list[Record], list[Fault]]:
    """What a journal tells of such a training, and what had to be left out."""
    told = _sorted(log)
    ends, left = _epochs(told)
    steps = _steps(told, [end.step for end in ends])
    last = max([one.last for one in steps] + [end.step for end in ends], default=0)
    times = [one.time for points in log.series.values() for one in points if one.time is not None]
    score = _final(told, ends)
    end = RunEnded(
        step=last,
        epochs=len(ends),
        seconds=round(max(times) - min(times), 3) if times else 0.0,
        reason=IMPORTED,
        score=score,
    )
    begin = RunStarted(version=VERSION, imported=ImportedFrom(source=log.source, files=tuple(log.files)))
    course: list[tuple[int, int, Record]] = [(one.last, 0, one) for one in steps]
    course += [(one.step, 1, one) for one in ends]
    remarks = [Fault("imported.between-epochs", {"name": log.name, "count": f"{left:,}"})] if left else []
    return [begin, *(one for *_, one in sorted(course, key=lambda pair: pair[:2])), end], remarks


def _sorted(log: ForeignLog) -> _Sorted:
    shift = 1 if any(one.step == 0 for points in log.series.values() for one in points) else 0
    told, losses = _Sorted(), list[list[Point]]()
    for (part, tag), points in log.series.items():
        meaning = meaning_of(tag, part)
        # What was logged twice for a step was logged anew: the later counts.
        found = sorted({one.step: one._replace(step=one.step + shift) for one in points}.values())
        if meaning.what == EPOCH:
            told.epochs = found
        elif meaning.what == RATE and (not told.rates or len(found) > len(told.rates)):
            told.rates = found
        elif meaning.what == NORM and not told.norms:
            told.norms = found
        elif meaning.what == SCORE and (meaning.part, meaning.name) == ("train", "loss"):
            losses.append(found)
        else:
            name = meaning.name or tag
            key = (meaning.part or "train", name if (meaning.part or "train", name) not in told.scores else tag)
            told.scores[key] = found
    losses.sort(key=len)
    if losses:
        told.losses = losses.pop()  # the densest
    if losses:
        told.scores["train", "loss"] = losses.pop()
    return told


def _numbers_of_epochs(told: _Sorted) -> tuple[list[int], list[int]]:
    """Steps, ascending, and the number of the epoch from each of them on, from 1; none where the log has no epochs."""
    rows = {one.step: one.value for one in told.epochs if math.isfinite(one.value)}
    every = [told.losses, *told.scores.values()]
    rows |= {one.step: float(one.epoch) for points in every for one in points if one.epoch is not None}
    if not rows:
        return [], []
    steps = sorted(rows)
    first = min(rows.values())
    shift = 1 if first < 1 else 0
    return steps, [max(1, int(rows[step]) + shift) for step in steps]


def _epochs(told: _Sorted) -> tuple[list[EpochEnded], int]:
    """Each epoch as it ended, and how many values between the ends had to be left out."""
    steps, numbers = _numbers_of_epochs(told)
    points = [(key, one) for key, series in told.scores.items() for one in series]
    if steps:

        def group(step: int) -> int:
            return numbers[max(0, bisect.bisect_right(steps, step) - 1)]

        points += [(("", ""), one) for one in told.losses]
    else:
        order = {step: at for at, step in enumerate(sorted({one.step for _, one in points}), 1)}

        def group(step: int) -> int:
            return order[step]

    values: dict[int, dict[tuple[str, str], Point]] = {}
    ends: dict[int, Point] = {}
    count = 0
    for key, one in sorted(points, key=lambda pair: pair[1].step):
        number = group(one.step)
        count += key != ("", "")
        values.setdefault(number, {})[key] = one
        ends[number] = max(ends.get(number, one), one, key=lambda point: point.step)
    kept = sum(key != ("", "") for row in values.values() for key in row)
    return _ended(told, values, ends), count - kept


def _ended(told: _Sorted, values: dict[int, dict[tuple[str, str], Point]], ends: dict[int, Point]) -> list[EpochEnded]:
    found: list[EpochEnded] = []
    best: dict[str, float] = {}
    before, time = 0, None
    for number in sorted(ends):
        end, row = ends[number], values[number]
        parts: dict[str, Score] = {"train": {}, "validation": {}, "test": {}}
        for (part, name), one in row.items():
            if part:
                parts[part][name] = one.value
        inside = [one.value for one in told.losses if before < one.step <= end.step]
        if "loss" not in parts["train"]:
            parts["train"] = {"loss": sum(inside) / len(inside) if inside else math.nan, **parts["train"]}
        seconds = end.time - time if end.time is not None and time is not None else 0.0
        found.append(
            EpochEnded(
                epoch=number,
                step=end.step,
                train=parts["train"],
                validation=parts["validation"] or None,
                best=_is_best(parts["validation"], best),
                seconds=round(max(0.0, seconds), 3),
            )
        )
        before, time = end.step, end.time if end.time is not None else time
    return found


def _is_best(score: Score, best: dict[str, float]) -> bool:
    """Whether a validation score is the best so far, by the first of the metrics that it has."""
    name = next((one for one in _BETTER if one in score), None)
    if name is None or not math.isfinite(score[name]):
        return False
    value = score[name] * _BETTER[name]
    if value <= best.get(name, -math.inf):
        return False
    best[name] = value
    return True


def _steps(told: _Sorted, ends: Sequence[int]) -> list[StepsTaken]:
    """A record for each loss that was logged; the rate is the newest one told by then."""
    rates, norms = [one.step for one in told.rates], {one.step: one.value for one in told.norms}
    steps, numbers = _numbers_of_epochs(told)
    found: list[StepsTaken] = []
    for one in told.losses:
        at = bisect.bisect_right(rates, one.step)
        rate = told.rates[at - 1].value if at else math.nan
        epoch = (
            numbers[max(0, bisect.bisect_right(steps, one.step) - 1)]
            if steps
            else bisect.bisect_left(ends, one.step) + 1
        )
        norm = norms.get(one.step)
        norm_row = None if norm is None else [norm]
        found.append(StepsTaken(first=one.step, epoch=max(1, epoch), loss=[one.value], lr=rate, norm=norm_row))
    return found


def _final(told: _Sorted, ends: Sequence[EpochEnded]) -> dict[str, Score | None]:
    """The scores that stand at the end: of the last epoch that has them, and the newest on the test part."""
    score: dict[str, Score | None] = {}
    if ends and math.isfinite(ends[-1].train["loss"]):
        score["train"] = ends[-1].train
    validation = next((one.validation for one in reversed(ends) if one.validation), None)
    if validation:
        score["validation"] = validation
    test = {name: points[-1].value for (part, name), points in told.scores.items() if part == "test" and points}
    if test:
        score["test"] = test
    return score
