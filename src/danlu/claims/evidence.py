"""What the test of a claim brings to light: comparisons in pairs, numerical checks, controls, and a figure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from danlu.stats.paired import LEVEL, Effect, holm, paired_effect

Expected = Literal["more", "less", "differ", "same"]
"""What a claim says of the measure at a later level, against the first."""

Told = Literal["as claimed", "opposite", "no difference", "undecided"]


@dataclass(frozen=True)
class ClaimComparison:
    """One level against another at one `condition` ("" where there is none), the same seeds at both: the effect on
    `measure` (after - before), and what that `told` of the claim. `rates` are the levels' own best ones."""

    condition: str
    before: str
    after: str
    measure: str
    effect: Effect
    expected: Expected
    means: tuple[float, float]
    rates: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def told(self) -> Told:
        verdict = self.effect.verdict
        if verdict == "undecided":
            return "undecided"
        if -self.effect.margin <= self.effect.low and self.effect.high <= self.effect.margin:
            verdict = "no difference"  # however sure its sign is, it counts as none
        if self.expected == "same":
            return "as claimed" if verdict == "no difference" else "opposite"
        if verdict == "no difference":
            return "no difference"
        if self.expected == "differ":
            return "as claimed"
        return "as claimed" if (verdict == "better") == (self.expected == "more") else "opposite"

    def as_dict(self) -> dict[str, Any]:
        effect = self.effect
        return {
            "condition": self.condition,
            "before": self.before,
            "after": self.after,
            "measure": self.measure,
            "expected": self.expected,
            "means": list(self.means),
            "mean": effect.mean,
            "low": effect.low,
            "high": effect.high,
            "pairs": effect.pairs,
            "p": effect.p,
            "margin": effect.margin,
            "more": effect.more,
            "told": self.told,
            "rates": dict(self.rates),
        }


def compared(
    before: Sequence[float],
    after: Sequence[float],
    *,
    names: tuple[str, str],
    measure: str,
    expected: Expected,
    margin: float,
    condition: str = "",
    grain: float = 0.0,
    rates: Mapping[str, float] | None = None,
    level: float = LEVEL,
) -> ClaimComparison:
    """`before` and `after` seed by seed; where either is NaN, the pair is left out.

    >>> compared([1, 2, 3], [2, 3.1, 4], names=("a", "b"), measure="loss", expected="more", margin=0.1).told
    'as claimed'
    """
    differences = [end - start for start, end in zip(before, after, strict=True)]
    effect = paired_effect([differences], margin=margin, grain=grain, level=level)
    return ClaimComparison(condition, *names, measure, effect, expected, (_mean(before), _mean(after)), rates or {})


def as_family(comparisons: Sequence[ClaimComparison]) -> list[ClaimComparison]:
    """The same comparisons, their p-values and intervals corrected for their number (Holm 1979)."""
    if len(comparisons) < 2:
        return list(comparisons)
    effects = holm([one.effect for one in comparisons])
    return [replace(one, effect=effect) for one, effect in zip(comparisons, effects, strict=True)]


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


@dataclass(frozen=True)
class IdentityCheck:
    """Two ways to one number, `name`d by a phrase (claims.check-NAME): how far apart they came out, and how far they
    may be."""

    name: str
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        return self.difference <= self.tolerance  # NaN is not

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True)
class Control:
    """A comparison whose answer is known beforehand: a "placebo" (two levels that are the same), a "positive" one (an
    effect so large that it must be seen), or that the "tuning" found its optimum inside the grid."""

    kind: Literal["placebo", "positive", "tuning"]
    passed: bool
    comparison: ClaimComparison | None = None
    levels: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        comparison = None if self.comparison is None else self.comparison.as_dict()
        return {"control": self.kind, "passed": self.passed, "levels": list(self.levels), "comparison": comparison}


PLACEBO_LEVEL = 0.999
"""Of the interval of a placebo: one claim in a thousand is given up for nothing."""


def placebo_control(before: Sequence[float], after: Sequence[float], *, name: str, **options: Any) -> Control:
    """A level called `name` against itself must not come out different; `options` as for `compared`."""
    comparison = compared(before, after, names=(name, name), expected="same", level=PLACEBO_LEVEL, **options)
    return Control("placebo", comparison.effect.verdict not in ("better", "worse"), comparison)


def positive_control(
    before: Sequence[float], after: Sequence[float], *, names: tuple[str, str], expected: Expected, **options: Any
) -> Control:
    """An effect planted to be seen must come out as expected; `options` as for `compared`."""
    comparison = compared(before, after, names=names, expected=expected, **options)
    return Control("positive", comparison.told == "as claimed", comparison)


@dataclass(frozen=True)
class CurveData:
    """A curve of a figure: `label` (plain words that need no translation, or the id of a phrase), its points, and where
    known the ends of a band or of intervals around them."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    lows: Sequence[float | None] = ()
    highs: Sequence[float | None] = ()
    points: bool = False


@dataclass(frozen=True)
class Plot:
    """One panel: its axes (ids of phrases, or plain words) and curves; or the heights of a `surface` [rows, columns]
    over `grid`, its axes' places, with the curves as paths upon it."""

    x: str
    y: str
    series: Sequence[CurveData]
    log_x: bool = False
    log_y: bool = False
    title: str = ""
    ticks: Sequence[str] = ()  # words at 0, 1, 2 … of the x axis, where numbers would not do
    surface: Sequence[Sequence[float]] = ()
    grid: tuple[Sequence[float], Sequence[float]] = ((), ())
    solid: bool = False


@dataclass(frozen=True)
class ClaimEvidence:
    """All that a test brought to light; `left_out` are places of the plan for which the data had too few samples."""

    comparisons: Sequence[ClaimComparison] = ()
    checks: Sequence[IdentityCheck] = ()
    controls: Sequence[Control] = ()
    figure: Sequence[Plot] = ()
    left_out: Sequence[str] = ()
