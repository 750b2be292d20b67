"""Whether what one factor does depends on another."""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from danlu.stats.members import COSTS, Level, Member, grain_of, plain_level
from danlu.stats.paired import Effect, holm, paired_effect
from danlu.stats.studies import level_of, signed, unfinished

# What four numbers that cancel leave behind is no effect, however steadily it comes.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interaction:
    """Two factors: the mean of the metric at each pair of their levels, and how far each pair is from the sum of both.

    `means[row][column]` belongs to `rows[row]` of the first factor and `columns[column]` of the second; NaN where
    nothing was trained, or all diverged. `error` is the standard error of such a mean; 0 where no pair has two values.
    `changes[row - 1][column - 1]` is by how much the effect of that row (against the first one) is greater in that
    column than in the first, seed by seed and fold by fold; None where there are no pairs. Its verdict is "depends",
    "adds up" (the interval lies within the margin) or "undecided".
    """

    factors: tuple[str, str]
    rows: Sequence[Level]
    columns: Sequence[Level]
    metric: str
    means: Sequence[Sequence[float]]
    error: float
    changes: Sequence[Sequence[Effect | None]]

    def as_dict(self) -> dict[str, Any]:
        changes = [
            {"levels": [level, other], **_change(effect, self.metric)}
            for level, row in zip(self.rows[1:], self.changes, strict=True)
            for other, effect in zip(self.columns[1:], row, strict=True)
            if effect is not None
        ]
        return {
            "factors": list(self.factors),
            "rows": list(self.rows),
            "columns": list(self.columns),
            "metric": self.metric,
            "means": [[None if math.isnan(mean) else mean for mean in row] for row in self.means],
            "error": self.error,
            "changes": changes,
        }


def interactions(
    members: Sequence[Member],
    factors: Mapping[str, Sequence[Level]],
    metric: str,
    margin: float,
    looks: Sequence[int] | None = (),
) -> list[Interaction]:
    """Every two factors; all changes of a study are one family of comparisons (Holm), at the level of its `looks`."""
    grain, folds = grain_of(members, metric), len({member.fold for member in members})
    found = [
        _interaction(members, (first, second), (factors[first], factors[second]), metric, margin, grain)
        for first, second in itertools.combinations(factors, 2)
    ]
    changes = [effect for one in found for row in one.changes for effect in row if effect]
    together = (
        [unfinished(effect) for effect in changes] if looks is None else holm(changes, level=level_of(looks, folds))
    )
    adjusted = iter(together)
    return [
        replace(one, changes=[[next(adjusted) if effect else None for effect in row] for row in one.changes])
        for one in found
    ]


Cells = dict[tuple[Level, Level], dict[tuple[int, int], list[float]]]
"""The values of each pair of levels, by seed and fold: one for every combination of the other factors."""


def _interaction(
    members: Sequence[Member], names: tuple[str, str], levels: tuple[Sequence[Level], Sequence[Level]], metric: str,
    margin: float, grain: float,
) -> Interaction:  # fmt: skip
    cells: Cells = defaultdict(lambda: defaultdict(list))
    for member in members:
        value = member.value(metric)
        if math.isfinite(value):
            pair = (plain_level(member.factors[names[0]]), plain_level(member.factors[names[1]]))
            cells[pair][member.seed, member.fold].append(value)
    sign = -1 if metric in COSTS else 1
    rows, columns = ([plain_level(level) for level in axis] for axis in levels)

    def mean(row: Level, column: Level) -> float:
        values = [value for own in cells.get((row, column), {}).values() for value in own]
        return sign * float(numpy.mean(values)) if values else math.nan

    return Interaction(
        names,
        *levels,
        metric,
        [[mean(row, column) for column in columns] for row in rows],
        _error_of_a_mean(cells),
        [
            [_difference(cells, (rows[0], row), (columns[0], column), margin, grain) for column in columns[1:]]
            for row in rows[1:]
        ],
    )


def _error_of_a_mean(cells: Cells) -> float:
    """The standard error of a pair's mean, from the scatter within the pairs, all taken together."""
    values = [[value for one in own.values() for value in one] for own in cells.values()]
    freedom = sum(len(own) - 1 for own in values)
    if not freedom:
        return 0.0
    within = math.fsum(float(numpy.var(own)) * len(own) for own in values) / freedom
    return math.sqrt(within / (sum(map(len, values)) / len(values)))


def _difference(
    cells: Cells, rows: tuple[Level, Level], columns: tuple[Level, Level], margin: float, grain: float
) -> Effect | None:
    corners = [cells.get((row, column), {}) for row in rows for column in columns]
    folds: defaultdict[int, list[float]] = defaultdict(list)
    for seed, fold in sorted(set(corners[0]).intersection(*corners[1:])):
        before, before_other, after, after_other = (float(numpy.mean(own[seed, fold])) for own in corners)
        change = (after_other - before_other) - (after - before)
        largest = max(abs(before), abs(before_other), abs(after), abs(after_other))
        folds[fold].append(0.0 if abs(change) < _ROUNDING * largest else change)
    return paired_effect(list(folds.values()), margin=margin, grain=math.sqrt(2) * grain) if folds else None


def _change(effect: Effect, metric: str) -> dict[str, Any]:
    verdict = {"better": "depends", "worse": "depends", "no difference": "adds up"}.get(effect.verdict, "undecided")
    mean, low, high = signed(effect, metric)
    facts = {"mean": mean, "low": low, "high": high, "pairs": effect.pairs}
    return facts | {"p": effect.p, "margin": effect.margin, "verdict": verdict}
