"""Does a change make more trainings diverge, or fewer? An exact test on pairs."""

import functools
import math
from typing import Any

import numpy

_STEPS = 40
# Beyond so many seeds the sign test on those that differ is as good, and the other sum long.
_MANY = 400


def discordant(before: Any, after: Any) -> tuple[Any, Any, Any]:
    """How many seeds diverge only after the change, only before it, and how many seeds there are: three arrays [...].

    `before` and `after` [..., seeds, trainings] hold 1 where a training diverged, 0 where not, NaN where there is
    none; the trainings of a seed are its folds and the levels of the other factors. They share what the seed decides,
    so the seed is the unit: it diverges at a level where at least half of its trainings there do. Left out of these are
    the places where all seeds do the same at both levels, which say nothing.
    """
    before, after = numpy.asarray(before, dtype=float), numpy.asarray(after, dtype=float)
    there = numpy.isfinite(before) & numpy.isfinite(after)
    was, now = (numpy.where(there, side, 0.0) for side in (before, after))
    broken, trained = (was + now).sum(-2, keepdims=True), there.sum(-2, keepdims=True)
    used = there & (broken > 0) & (broken < 2 * trained)
    count = used.sum(-1)
    first, second = ((count > 0) & (2 * (side * used).sum(-1) >= count) for side in (was, now))
    return (second & ~first).sum(-1), (first & ~second).sum(-1), there.any(-1).sum(-1)


@functools.lru_cache(maxsize=65536)
def divergence_p(more: int, fewer: int, seeds: int) -> float:
    """The p-value of McNemar's test, exact and unconditional (Suissa and Shuster 1991), that a change makes as many
    seeds diverge as it saves: of `seeds` pairs, `more` diverge only after it and `fewer` only before.

    Two equal settings that are trained on the same seed agree at least as often as two that have nothing in common, so
    at most half of the pairs differ; the p-value is the largest over all such shares.

    >>> round(divergence_p(0, 5, 5), 4), round(divergence_p(0, 2, 5), 2)
    (0.002, 0.26)
    """
    differ, distance = more + fewer, abs(more - fewer)
    if not distance:
        return 1.0
    from scipy import special  # here, because it takes long to import

    if seeds > _MANY:
        return min(1.0, 2 * float(special.bdtr(min(more, fewer), differ, 0.5)))
    numbers = numpy.arange(1, seeds + 1)
    score = distance**2 / differ
    # P(|2 Binomial(n, 1/2) - n| ≥ the distance that gives at least this score) for each number n of pairs that differ.
    reach = numpy.ceil(numpy.sqrt(score * numbers) - 1e-9)
    least = numpy.floor((numbers - reach) / 2)
    tails = numpy.where(least >= 0, 2 * special.bdtr(numpy.maximum(least, 0), numbers, 0.5), 0.0)
    shares = numpy.linspace(0.5 / _STEPS, 0.5, _STEPS)[:, None]
    choose = special.gammaln(seeds + 1) - special.gammaln(numbers + 1) - special.gammaln(seeds - numbers + 1)
    weights = numpy.exp(choose + numbers * numpy.log(shares) + (seeds - numbers) * numpy.log1p(-shares))
    return float(min(1.0, (weights * numpy.minimum(tails, 1.0)).sum(1).max()))


def divergence_ps(more: Any, fewer: Any, seeds: Any) -> tuple[Any, Any]:
    """The p-values of whole arrays [...], and the least that each could have been, had all that differ done so in one
    direction."""
    triples = numpy.stack(numpy.broadcast_arrays(more, fewer, seeds), -1)
    kinds, places = numpy.unique(triples.reshape(-1, 3), axis=0, return_inverse=True)
    found = numpy.array([divergence_p(int(a), int(b), int(n)) for a, b, n in kinds] or [1.0])
    least = numpy.array([divergence_p(int(a + b), 0, int(n)) for a, b, n in kinds] or [1.0])
    shape = triples.shape[:-1]
    return found[places.reshape(-1)].reshape(shape), least[places.reshape(-1)].reshape(shape)


def seeds_for_divergence(more: int, fewer: int, seeds: int, alpha: float) -> int | None:
    """About how many further seeds the test takes, if these go on as the others did; None where nothing differs."""
    if more == fewer or not seeds:
        return None
    for total in range(seeds + 1, 20 * seeds + 20):
        grown = [math.floor(count * total / seeds + 0.5) for count in (more, fewer)]
        if divergence_p(grown[0], grown[1], total) <= alpha:
            return total - seeds
    return None
