"""What a range test of learning rates found: the curve, where training breaks, and which rate to take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.errors import Fault
from danlu.base.readable import Readable
from danlu.view.rate_test import rate_test_text

# A rate is broken where less than this share of what the best one gained is left.
_LEFT = 0.1
# Rates as good as the best: at least this share of its gain. The lowest of them is farthest from the edge.
_AS_GOOD = 0.95
# The suggestion keeps this factor below the edge: later in a training the loss curves more than in its first steps.
_DISTANCE = 4.0


@dataclass(frozen=True, repr=False)
class RateTest(Readable):
    """The training loss that each of several learning rates leads to within a few steps, from the same first weights.

    `losses` stand beside `rates`: the mean over the last quarter of the steps, NaN or infinite where it was not finite.
    `start` is the loss on the same batches of weights that stay as they are. `best` is the rate of the lowest loss,
    `edge` the lowest one above it that breaks the training (None: none did), `suggestion` the one to take (None where
    no rate helps), for the reason in `reason`. `settings` are what it was tested with, the suggestion put in: for
    `danlu.fit(net, data, **settings)`.
    """

    net: str
    data: str
    rates: Sequence[float]
    losses: Sequence[float]
    start: float
    best: float | None
    edge: float | None
    suggestion: float | None
    why: Fault
    settings: Mapping[str, Any]
    current: float
    steps: int
    batch_size: int
    alone: Fault | None
    seconds: float

    @property
    def reason(self) -> str:
        return str(self.why)

    @property
    def stacked(self) -> bool:
        """Whether all rates were tried at once."""
        return self.alone is None

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "net": self.net,
            "data": self.data,
            "rates": list(self.rates),
            "losses": list(self.losses),
            "start": self.start,
            "best": self.best,
            "edge": self.edge,
            "suggestion": self.suggestion,
            "reason": self.reason,
            "settings": dict(self.settings),
            "current": self.current,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "stacked": self.stacked,
            "why_not_stacked": "" if self.alone is None else str(self.alone),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return rate_test_text(self.as_dict())


@dataclass(frozen=True)
class Judgement:
    """Which rates a curve shows to be the best, the first to break the training, and the one to take, and why."""

    best: float | None
    edge: float | None
    suggestion: float | None
    why: Fault


def judge_rates(rates: Sequence[float], losses: Sequence[float], start: float) -> Judgement:
    """Read a curve: `losses` beside `rates`, ascending; `start` is the loss without any learning.

    >>> judge_rates([0.001, 0.01, 0.1, 1.0], [2.2, 1.5, 0.5, float("nan")], 2.3).suggestion
    0.1
    """
    gains = [start - loss if math.isfinite(loss) else -math.inf for loss in losses]
    place = max(range(len(rates)), key=lambda number: gains[number])
    best = gains[place]
    if not math.isfinite(best):
        return Judgement(None, rates[0], None, Fault("search.all-break", {"rate": rates[0]}))
    if best <= 1e-6 * abs(start):
        return Judgement(None, None, None, Fault("search.none-helps", {"low": rates[0], "high": rates[-1]}))
    broken = [rate for rate, gain in zip(rates[place:], gains[place:], strict=True) if gain < _LEFT * best]
    edge = broken[0] if broken else None
    good = [rate for rate, gain in zip(rates[: place + 1], gains, strict=False) if gain >= _AS_GOOD * best]
    suggestion, why = good[0], "search.lowest-of-the-good"
    if edge is not None and suggestion > edge / _DISTANCE:
        below = [rate for rate in rates if rate <= edge / _DISTANCE]
        suggestion, why = (below[-1] if below else rates[0]), "search.below-the-edge"
    facts = {"best": rates[place], "loss": losses[place], "start": start, "edge": edge, "factor": _DISTANCE}
    return Judgement(rates[place], edge, suggestion, Fault(why, {**facts, "share": _AS_GOOD}))
