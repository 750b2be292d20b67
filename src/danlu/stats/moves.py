"""A session of moves, each compared with the one before it, as many as one likes and each looked at once it is there.

Nobody knows beforehand how many there will be. Comparison number k therefore takes 5 % · 1/(k (k + 1)) of false
answers: all of them together, however many, take 5 % at most, since 1/2 + 1/6 + 1/12 + … = 1 (alpha spending over an
open series of hypotheses, as in Foster and Stine 2008, https://doi.org/10.1111/j.1467-9868.2007.00643.x).
"""

from collections.abc import Sequence

from danlu.stats.members import Member, compared, grain_of
from danlu.stats.paired import LEVEL
from danlu.stats.studies import FactorEffect, judged, usual_margin, usual_metric


def move_level(number: int) -> float:
    """How sure the answer to comparison `number` of a session, from 1, must be.

    >>> [round(move_level(number), 4) for number in (1, 2, 10)]
    [0.975, 0.9917, 0.9995]
    """
    return 1 - (1 - LEVEL) / (number * (number + 1))


def move_effect(before: Sequence[Member], after: Sequence[Member], number: int) -> FactorEffect:
    """What a move does, from the same seeds before and after it, as comparison `number` of its session.

    The metric and the margin are the usual ones of a study.

    >>> before = [Member({}, seed, 0, {"accuracy": 0.8}, False, 100) for seed in range(32)]
    >>> after = [Member({}, seed, 0, {"accuracy": 0.9 + 0.02 * (seed % 2)}, False, 100) for seed in range(32)]
    >>> move_effect(before, after, 1).verdict, move_effect(before, before, 1).verdict
    ('better', 'no difference')
    """
    both = [*before, *after]
    metric = usual_metric(both)
    sides = [{(one.seed, one.fold, ""): one for one in side} for side in (before, after)]
    one = compared(sides[0], sides[1], metric, grain_of(both, metric))
    levels = move_level(number), move_level(number + 1)
    ((effect, divergence),) = judged([one], usual_margin(both, metric), *levels)
    return FactorEffect("move", "before", "after", metric, effect, one.diverged, divergence, one.left_out)
