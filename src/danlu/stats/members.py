"""The members of a study, and what two levels of a factor leave to compare: pairs that differ in nothing else."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy

Level = Any
"""What a factor of a study is set to."""

MOST_SEEDS = 10_000  # of a study
MOST_MORE = 500
"""Seeds. Where a verdict would take more of them no number is told: it would rest on the few pairs that there are."""

# Where less is better.
COSTS = ("loss", "mae", "rmse", "mase", "perplexity")
# How far apart two scores can be: from all wrong to all right, from the mean of the targets to the targets themselves.
RANGES: dict[str, float] = dict.fromkeys(
    (
        "accuracy", "f1", "balanced_accuracy", "average_precision", "r2", "f1_micro", "map", "subset_accuracy", "miou",
        "bleu", "exact_match",
    ),
    1.0,
)  # fmt: skip
# Metrics that count samples, and so move in steps.
_COUNTS = ("accuracy", "f1", "exact_match")
# Two results that ought to be equal can differ by as much of their size: nets are trained in single precision.
_PRECISION = 2.0**-23
_MOST_SAMPLES = 20_000
# No training ends well with a score beyond this, and squares of what is below can still be summed.
_LARGEST = 1e100


@dataclass(frozen=True)
class Member:
    """One training of a study: its levels, seed and fold, its score on the validation part, and whether it diverged.

    `samples` is how many the validation part has; None where that is not known.
    """

    factors: Mapping[str, Level]
    seed: int
    fold: int
    score: Mapping[str, float]
    diverged: bool
    samples: int | None = None

    def value(self, metric: str) -> float:
        """The metric with the sign that makes larger better; NaN where the member diverged: by its own word, or by
        a score beyond all reason."""
        value = self.score.get(metric, math.nan)
        return math.nan if self.diverged or abs(value) > _LARGEST else -value if metric in COSTS else value

    def as_dict(self) -> dict[str, Any]:
        return {
            "factors": dict(self.factors),
            "seed": self.seed,
            "fold": self.fold,
            "score": dict(self.score),
            "diverged": self.diverged,
        }


def plain_level(level: Level) -> Level:
    """A level that can be a key of a dict."""
    if isinstance(level, Mapping):
        return tuple((key, plain_level(value)) for key, value in cast(Mapping[str, Level], level).items())
    return tuple(plain_level(part) for part in cast(list[Any], level)) if isinstance(level, list | tuple) else level


Key = tuple[int, int, str]
"""Seed, fold, and the levels of all other factors."""


def by_level(members: Sequence[Member], factor: str) -> dict[Level, dict[Key, Member]]:
    """The members at each level of a factor, by all else that they have."""
    found: defaultdict[Level, dict[Key, Member]] = defaultdict(dict)
    for member in members:
        others = str(sorted((key, level) for key, level in member.factors.items() if key != factor))
        found[plain_level(member.factors[factor])][member.seed, member.fold, others] = member
    return found


@dataclass(frozen=True)
class Comparison:
    """Two levels: `differences` [folds, seeds], larger meaning better, means over the other factors' levels, NaN where
    there is no pair; whether each training diverged, at either level, [seeds, folds · others], NaN where there is none.

    `left_out` counts the pairs of which one or both diverged: they have no difference. `grain`, `rounding` and
    `repeated` are those of `paired_means`.
    """

    differences: Any
    before: Any
    after: Any
    diverged: tuple[int, int]
    left_out: int
    grain: float
    rounding: float
    repeated: bool


def compared(before: Mapping[Key, Member], after: Mapping[Key, Member], metric: str, grain: float) -> Comparison:
    """What the members at two levels leave to compare; `grain` is the step in which the metric moves."""
    keys = sorted(before.keys() | after.keys())
    seeds = {seed: row for row, seed in enumerate(sorted({key[0] for key in keys}))}
    folds = {fold: row for row, fold in enumerate(sorted({key[1] for key in keys}))}
    places = {place: row for row, place in enumerate(sorted({key[1:] for key in keys}))}
    sums, counts = numpy.zeros((len(folds), len(seeds))), numpy.zeros((len(folds), len(seeds)))
    broken = numpy.full((2, len(seeds), len(places)), math.nan)
    values = numpy.array(
        [[side[key].value(metric) if key in side else math.nan for key in keys] for side in (before, after)]
    )
    paired = 0
    for column, key in enumerate(keys):
        seed, fold, place = seeds[key[0]], folds[key[1]], places[key[1:]]
        for number, side in enumerate((before, after)):
            if key in side:
                broken[number, seed, place] = not math.isfinite(values[number, column])
        paired += key in before and key in after
        difference = values[1, column] - values[0, column]
        if math.isfinite(difference):
            sums[fold, seed] += difference
            counts[fold, seed] += 1
    finite = values[numpy.isfinite(values)]
    averaged = counts[counts > 0].min() if counts.any() else 1.0
    with numpy.errstate(invalid="ignore"):
        differences = sums / numpy.where(counts > 0, counts, math.nan)
    return Comparison(
        differences,
        before=broken[0],
        after=broken[1],
        diverged=(int(numpy.nansum(broken[0])), int(numpy.nansum(broken[1]))),
        left_out=paired - int(counts.sum()),
        grain=grain / math.sqrt(averaged),
        rounding=_PRECISION * float(numpy.abs(finite).max()) if len(finite) else 0.0,
        repeated=_still(before) and _still(after),
    )


def _still(side: Mapping[Key, Member]) -> bool:
    """Whether all seeds have come to the very same numbers: then they are one training, repeated."""
    first: dict[tuple[int, str], Mapping[str, float]] = {}
    for (_, fold, others), member in side.items():
        if not member.diverged and dict(first.setdefault((fold, others), member.score)) != dict(member.score):
            return False
    return True


def grain_of(members: Sequence[Member], metric: str) -> float:
    """The step in which a metric moves: 1/n where it counts n samples; of several folds the widest; 0 for no step.

    Where the number of samples was not kept it is read from the accuracies, which are all multiples of 1/n.

    >>> scores = [Member({}, seed, 0, {"accuracy": right / 36}, False) for seed, right in enumerate((30, 31, 35))]
    >>> round(1 / grain_of(scores, "accuracy"))
    36
    """
    if metric not in _COUNTS:
        return 0.0
    known = [member.samples for member in members if member.samples]
    if known:
        return 1 / min(known)
    folds: defaultdict[int, set[float]] = defaultdict(set)
    for member in members:
        value = member.score.get("accuracy", math.nan)
        if not member.diverged and math.isfinite(value):
            folds[member.fold].add(value)
    return max((_step(values) for values in folds.values()), default=0.0)


def _step(values: set[float]) -> float:
    """1/n with the least n of which all values are multiples of 1/n; 0 where there is none."""
    fit = numpy.arange(1, _MOST_SAMPLES + 1, dtype=float)
    for value in values:
        exact = numpy.abs(fit * value - numpy.round(fit * value)) <= _PRECISION * fit
        fit = fit[exact]
        if not len(fit):
            return 0.0
    return 1 / float(fit[0]) if values else 0.0
