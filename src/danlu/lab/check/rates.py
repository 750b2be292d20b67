"""The rate of a recipe among others: a short range test, judged against the rate that the recipe has."""

import math
from dataclasses import replace
from typing import Any

from torch import nn

from danlu.base.records import Finding
from danlu.base.words import say
from danlu.lab.check.lr_find import POINTS, STEPS, lr_find
from danlu.lab.check.rate_test import RateTest
from danlu.run.settings.draft import CUSTOM
from danlu.run.setup import Setup
from danlu.study.plan import why_alone

# Multiply-adds that take some seconds, in a stack and one training after another.
_MOST_STACKED, _MOST_ALONE = 5e10, 1e10
# Of what training gains at the best rate: a rate that gains less than this within the same steps hardly moves.
_HARDLY = 0.03


def try_rates(setup: Setup, net: nn.Module | None) -> RateTest | None:
    """The range test of `danlu.lr_find` as it is without being told otherwise, so that both suggest the same rate; None
    where it has so much to compute that it would take more than seconds. No stopwatch decides that: the same recipe is
    always told the same.

    `net` is the user's own, where the recipe names none.
    """
    work = POINTS * STEPS * setup.description.multiply_adds * (setup.recipe.train.batch_size or 1)
    most = _MOST_ALONE if why_alone(setup) else _MOST_STACKED
    if work > most or (setup.recipe.net.name == CUSTOM and net is None):
        return None
    recipe = replace(setup.recipe, chosen=frozenset())
    given: Any = net if setup.recipe.net.name == CUSTOM else None
    return lr_find(given, setup.data, recipe=recipe)


def judged_rate(test: RateTest, setup: Setup) -> Finding | None:
    """What the range test says of the recipe's own rate: beyond the edge, or hardly moving."""
    rate, start = test.current, test.start
    if not rate or test.best is None or test.suggestion is None:
        return None
    # A rate that is only reached after a warm-up may be higher than one to begin with.
    gentle = setup.recipe.schedule.warmup > 0 or setup.recipe.schedule.name == "one-cycle"
    numbers: dict[str, Any] = {"rate": rate, "edge": test.edge, "best": test.best, "suggestion": test.suggestion}
    numbers["steps"] = test.steps
    change = ({"change": {"optim.lr": test.suggestion}},)
    if test.edge is not None and rate >= test.edge:
        severity = "advice" if gentle else "warning"
        title, why = say("check.title-rate-range-high", **numbers), say("check.why-rate-range-high", **numbers)
        return Finding("rate-range", severity, (), 1, numbers, title, why, change)
    nearest = min(range(len(test.rates)), key=lambda place: abs(math.log(test.rates[place] / rate)))
    best = min(loss for loss in test.losses if math.isfinite(loss))
    share = (start - test.losses[nearest]) / (start - best)
    if rate < test.best and share < _HARDLY and setup.horizon.steps * share < test.steps:
        numbers["share"] = max(0.0, share)
        title, why = say("check.title-rate-range-low", **numbers), say("check.why-rate-range-low")
        return Finding("rate-range", "advice", (), 1, numbers, title, why, change)
    return None
