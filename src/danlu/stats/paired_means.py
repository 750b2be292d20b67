"""The arithmetic of paired comparisons on whole arrays of them: means, standard errors, p-values, Holm's factors.

Over one split the seeds are the sample: Student's t. Over the folds of a cross-validation a difference has to stand out
from its spread over the folds *and* from its spread over the seeds, because both are shared by many pairs. Folds share
most of their training samples, so the variance of their mean is (1/k + 1/(k-1)) times theirs instead of 1/k (Nadeau and
Bengio 2003, https://doi.org/10.1023/A:1024068626366). That alone would take what a seed's first weights do in every
fold for an effect.
"""

from dataclasses import dataclass
from typing import Any

import numpy

LEAST_PAIRS = 3
"""With fewer nothing is decided."""


@dataclass(frozen=True)
class PairedMeans:
    """Of each comparison, arrays of one shape [...]: the mean difference, its standard error and degrees of freedom
    (over the seeds of one split, or over folds), the same over the seeds where there are several folds (else 0 and 1),
    the number of pairs, the two-sided p-value, and whether the pairs can decide anything.

    `few`: fewer than three pairs, or one seed. `flat`: the same difference, other than none, in every pair: seeds that
    change nothing are one seed, however often it is repeated.
    """

    mean: Any
    error: Any
    freedom: Any
    seed_error: Any
    seed_freedom: Any
    pairs: Any
    p: Any
    few: Any
    flat: Any


def paired_means(differences: Any, *, grain: Any = 0.0, rounding: Any = 0.0, repeated: Any = False) -> PairedMeans:
    """Each comparison's numbers from its differences [..., folds, seeds], NaN where a pair is missing.

    `grain` [...] is the step in which the metric moves (1/n for the accuracy on n samples; 0 where it has none). The
    variance of the differences is taken to be at least grain²/2: what one sample on the edge on either side makes of
    it. Without it a tie of few pairs is a spread of zero. `rounding` [...] is what two equal results can differ by.
    `repeated` [...]: whether all seeds came to the very same numbers.
    """
    differences = numpy.asarray(differences, dtype=float)
    there = numpy.isfinite(differences)
    filled = numpy.where(there, differences, 0.0)
    in_fold, of_seed = there.sum(-1), there.sum(-2)
    pairs, folds, seeds = in_fold.sum(-1), (in_fold > 0).sum(-1), (of_seed > 0).sum(-1)
    several = folds > 1
    of_folds = _moments(filled.sum(-1) / numpy.maximum(in_fold, 1), in_fold > 0)
    of_seeds = _moments(filled.sum(-2) / numpy.maximum(of_seed, 1), of_seed > 0)
    mean = numpy.where(several, of_folds[0], of_seeds[0])
    grain, rounding = numpy.asarray(grain, dtype=float), numpy.asarray(rounding, dtype=float)
    repeated = numpy.asarray(repeated, dtype=bool)
    floor = numpy.maximum(grain**2 / 2, rounding**2)
    # A mean over others has less of what one pair has at least.
    seed_variance = numpy.maximum(of_seeds[1], floor / numpy.maximum(folds, 1))
    fold_variance = numpy.maximum(of_folds[1], floor * folds / numpy.maximum(pairs, 1))
    seed_error = numpy.sqrt(seed_variance / numpy.maximum(seeds, 1))
    fold_error = numpy.sqrt(fold_variance * (1 / numpy.maximum(folds, 1) + 1 / numpy.maximum(folds - 1, 1)))
    freedoms = numpy.maximum(folds - 1, 1), numpy.maximum(seeds - 1, 1)
    few = (pairs < LEAST_PAIRS) | (seeds < 2)
    still = numpy.maximum(rounding, 1e-12 * numpy.abs(numpy.nan_to_num(mean))) ** 2
    tied = (of_seeds[1] <= still) & (~several | (of_folds[1] <= still)) & (repeated | (grain == 0))
    flat = tied & (numpy.abs(mean) > rounding) & ~few
    over_seeds, over_folds = two_sided(mean, seed_error, freedoms[1]), two_sided(mean, fold_error, freedoms[0])
    p = numpy.where(several, numpy.maximum(over_seeds, over_folds), over_seeds)
    return PairedMeans(
        mean,
        numpy.where(several, fold_error, seed_error),
        numpy.where(several, freedoms[0], freedoms[1]),
        numpy.where(several, seed_error, 0.0),
        numpy.where(several, freedoms[1], 1),
        pairs,
        numpy.where(few | flat, 1.0, p),
        few,
        flat,
    )


def _moments(values: Any, there: Any) -> tuple[Any, Any]:
    """Mean and variance (n - 1) along the last axis of what is `there`; the others are 0."""
    count = there.sum(-1)
    mean = values.sum(-1) / numpy.maximum(count, 1)
    squares = (numpy.where(there, values - mean[..., None], 0.0) ** 2).sum(-1)
    return numpy.where(count > 0, mean, numpy.nan), squares / numpy.maximum(count - 1, 1)


def two_sided(mean: Any, error: Any, freedom: Any) -> Any:
    """The p-value of Student's t-test of means [...] with their standard errors and degrees of freedom.

    >>> round(float(two_sided(2.776, 1.0, 4)), 3)
    0.05
    """
    from scipy import special  # here, because it takes long to import

    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratio = numpy.where(mean == 0, 0.0, numpy.abs(mean) / error)
    return 2 * special.stdtr(freedom, -numpy.nan_to_num(ratio, posinf=numpy.inf))


def half_width(means: PairedMeans, alpha: Any) -> Any:
    """Half of the interval that misses the true mean with the probability `alpha` [...]; infinite where nothing can be
    decided."""
    from scipy import special  # here, because it takes long to import

    tail = numpy.maximum(numpy.asarray(alpha) / 2, 1e-300)
    half = numpy.maximum(
        -special.stdtrit(means.freedom, tail) * means.error,
        -special.stdtrit(means.seed_freedom, tail) * means.seed_error,
    )
    return numpy.where(means.few | means.flat, numpy.inf, half)


def holm_factors(p: Any, counted: Any) -> Any:
    """By what each p-value of a family, along the last axis, is multiplied (Holm 1979); those not `counted`, which no
    outcome could have made small, are not compared with the others.

    >>> holm_factors([0.01, 0.02, 0.04], [True, True, True]).tolist()
    [3.0, 2.0, 1.0]
    """
    p = numpy.asarray(p, dtype=float)
    counted = numpy.broadcast_to(numpy.asarray(counted, dtype=bool), p.shape)
    key = numpy.where(counted, p, 2.0)
    order = numpy.argsort(key, axis=-1, kind="stable")
    sizes = counted.sum(-1, keepdims=True)
    ranks = numpy.arange(p.shape[-1])
    factors = numpy.maximum(sizes - ranks, 1).astype(float)
    ordered = numpy.take_along_axis(p, order, -1)
    adjusted = numpy.maximum.accumulate(ordered * factors, axis=-1)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        effective = numpy.where(ordered > 0, adjusted / ordered, factors)
    result = numpy.empty_like(p)
    numpy.put_along_axis(result, order, numpy.maximum(effective, factors), -1)
    return numpy.where(counted, result, 1.0)
