"""Studies out of a random generator, whose truth is known: what danlu says of them is right or wrong.

Values are [studies, levels, folds, seeds], larger meaning better. What a seed has in common over folds and what both
sides of a pair have in common is simulated, as are scores that move in steps, ceilings, outliers and divergence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from danlu.stats.divergence import discordant
from danlu.stats.family import Family, decide_family
from danlu.stats.members import Member

Shape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Scores:
    """How the scores of a net come about: a function of generator, shape and the shift of each level; the metric, how
    many samples it counts (None: it moves in no steps), the margin, and the shift of an A/B study."""

    name: str
    draw: Callable[[Any, Shape, Any], Any]
    metric: str
    samples: int | None
    margin: float
    shift: float


def _by_seed(generator: Any, shape: Shape) -> Any:
    """What a seed does to a level in every fold."""
    studies, levels, _, seeds = shape
    return generator.normal(size=(studies, levels, 1, seeds)) + numpy.zeros(shape)


def _mixed(generator: Any, shape: Shape) -> Any:
    """Noise of variance 1, a third of it the seed's own over all folds."""
    return (1 / 3) ** 0.5 * _by_seed(generator, shape) + (2 / 3) ** 0.5 * generator.normal(size=shape)


def _of_pairs(generator: Any, shape: Shape) -> Any:
    """What all levels have in common on one fold with one seed: the split, the order of the samples."""
    studies, _, folds, seeds = shape
    return generator.normal(size=(studies, 1, folds, seeds))


def _independent(samples: int, right: float) -> Callable[[Any, Shape, Any], Any]:
    """Every sample right with the same probability, which differs a little from seed to seed."""

    def draw(generator: Any, shape: Shape, shift: Any) -> Any:
        logit = numpy.log(right / (1 - right)) + 0.2 * _by_seed(generator, shape)
        return generator.binomial(samples, numpy.clip(1 / (1 + numpy.exp(-logit)) + shift, 0, 1)) / samples

    return draw


def _same_part(samples: int, right: float, edge: float) -> Callable[[Any, Shape, Any], Any]:
    """All nets agree on all samples but the share `edge`, of which each gets half right."""

    def draw(generator: Any, shape: Shape, shift: Any) -> Any:
        wavering = max(1, round(edge * samples))
        sure = round(right * samples) - wavering // 2
        chance = numpy.clip(0.5 + shift * samples / wavering, 0, 1) + numpy.zeros(shape)
        return (sure + generator.binomial(wavering, chance)) / samples

    return draw


def _r2(generator: Any, shape: Shape, shift: Any) -> Any:
    return 0.6 + 0.05 * _of_pairs(generator, shape) + 0.03 * _mixed(generator, shape) + shift


def _loss(generator: Any, shape: Shape, shift: Any) -> Any:
    """Skewed, and three times as large in one training of twenty."""
    outlier = numpy.where(generator.random(shape) < 0.05, 3.0, 1.0)
    return -numpy.exp(-1 + 0.2 * _of_pairs(generator, shape) + 0.2 * _mixed(generator, shape)) * outlier + shift


def _counted(samples: int, shift: float) -> list[Scores]:
    kinds = (
        ("independent", _independent(samples, 0.8), shift),
        ("at 98%", _independent(samples, 0.98), -shift),
        ("nets agree but for 6%", _same_part(samples, 0.9, 0.06), min(shift, 0.025)),
    )
    return [Scores(f"accuracy on {samples:,}, {kind}", draw, "accuracy", samples, 0.01, by) for kind, draw, by in kinds]


SCORES = [
    *_counted(36, 0.15),
    *_counted(180, 0.08),
    *_counted(2000, 0.025),
    Scores("R²", _r2, "r2", None, 0.01, 0.04),
    Scores("loss, skewed, with outliers", _loss, "loss", None, 0.008, 0.15),
]


def drawn_divergence(generator: Any, shape: Shape, shares: Sequence[float]) -> Any:
    """Which trainings diverge: at each level the share of `shares`, some because of the pair, some of the seed."""
    from scipy.special import ndtri

    own = 0.4**0.5 * generator.normal(size=shape)
    drawn = 0.3**0.5 * (_of_pairs(generator, shape) + _by_seed(generator, shape)) + own
    return drawn < ndtri(numpy.asarray(shares))[:, None, None]


def judged(scores: Scores, values: Any, diverged: Any, level: float, seeds: int | None = None) -> Family:
    """What danlu says of studies [studies, levels, folds, seeds], of which it sees the first `seeds`: each level
    against the first, the comparisons of a study as one family; by the function that judges every study."""
    values, diverged = values[..., :seeds], diverged[..., :seeds]
    known = numpy.where(diverged, numpy.nan, values)
    broken = numpy.swapaxes(diverged, 2, 3).astype(float)
    first = numpy.broadcast_to(broken[:, :1], broken[:, 1:].shape)
    counts = numpy.stack(discordant(first, broken[:, 1:]), -1)
    grain = 1 / scores.samples if scores.samples else 0.0
    tables = known[:, 1:] - known[:, :1]
    return decide_family(tables, counts, grain=grain, rounding=1e-7, margin=scores.margin, level=level)


def told(family: Family) -> Any:
    """Of each comparison [studies, levels - 1]: whether better or worse was said of it, by the metric or divergence."""
    return (family.verdicts == 1) | (family.verdicts == 2) | (family.divergences > 0)


def members(scores: Scores, values: Any, diverged: Any) -> list[Member]:
    """One study of the arrays [levels, folds, seeds] as the members that a journal would hold."""
    sign = -1 if scores.metric == "loss" else 1
    return [
        Member(
            {"f": level}, seed, fold, {scores.metric: sign * float(values[level, fold, seed])},
            bool(diverged[level, fold, seed]), scores.samples,
        )
        for level, fold, seed in numpy.ndindex(values.shape)
    ]  # fmt: skip
