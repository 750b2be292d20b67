"""How a training ended: whether it diverged, why it stopped, and which weights were scored."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.records import Score, held_out_is_finite
from danlu.store.records import EpochEnded

_MAIN = ("accuracy", "r2", "loss")
# A difference of so many times the noise is more than chance.
_CLEAR = 2.0


@dataclass(frozen=True)
class Scored:
    """Which weights were scored. `epoch` is theirs, `best_epoch` the one with the best validation score (0: there is no
    validation part); `last` and `best` are the values of `metric` there. `clear` says that they differ by more than the
    noise of the score.
    """

    weights: str  # "last" or "best"
    epoch: int
    best_epoch: int = 0
    metric: str = ""
    last: float = math.nan
    best: float = math.nan
    clear: bool = False

    def as_dict(self) -> dict[str, Any]:
        values = {"last": self.last, "best": self.best}
        known = {name: value if math.isfinite(value) else None for name, value in values.items()}
        return {**vars(self), **known}


def scored_weights(epochs: Sequence[EpochEnded], best_asked: bool, samples: int) -> Scored:
    """What was scored at the end of `epochs`, `samples` being those of the validation part.

    The noise of a score is how far it jumps from one epoch to the next in the last half of them; that of an accuracy is
    at least its standard error.

    >>> losses = [3, 1, 2, 2, 2]
    >>> told = {"train": {}, "seconds": 1.0}
    >>> epochs = [
    ...     EpochEnded(epoch=n + 1, step=n + 1, best=n < 2, validation={"loss": losses[n]}, **told) for n in range(5)
    ... ]
    >>> scored = scored_weights(epochs, False, 100)
    >>> scored.best_epoch, scored.clear
    (2, True)
    """
    last = epochs[-1].epoch if epochs else 0
    scores = [epoch.validation for epoch in epochs if epoch.validation]
    bests = [(epoch.epoch, epoch.validation) for epoch in epochs if epoch.validation and epoch.best]
    if not bests:
        return Scored("last", last)
    number, best = bests[-1]
    metric = next((name for name in _MAIN if name in best), next(iter(best)))
    values = [score.get(metric, math.nan) for score in scores]
    noise = _noise(values, metric, samples)
    before, after = best[metric], values[-1]
    clear = abs(before - after) > _CLEAR * noise or not math.isfinite(after)
    weights, epoch = ("best", number) if best_asked else ("last", last)
    return Scored(weights, epoch, number, metric, after, before, clear and number != last)


def diverged_at(steps: Sequence[int], losses: Sequence[float], score: Mapping[str, Score]) -> int | None:
    """The step from which on no loss was finite; the last step where only the scores at the end are not; else None.

    >>> diverged_at([1, 2, 3], [0.5, float("nan"), float("inf")], {})
    2
    """
    if not steps:
        return None
    last_finite = next((place for place in range(len(losses) - 1, -1, -1) if math.isfinite(losses[place])), -1)
    if last_finite < len(losses) - 1:
        return steps[last_finite + 1]
    return None if held_out_is_finite(score) else steps[-1]


def _noise(values: Sequence[float], metric: str, samples: int) -> float:
    tail = values[len(values) // 2 :]
    jumps = [later - earlier for earlier, later in itertools.pairwise(tail)]
    jumps = [jump for jump in jumps if math.isfinite(jump)]
    noise = math.sqrt(sum(jump**2 for jump in jumps) / len(jumps) / 2) if jumps else 0.0
    share = values[-1]
    if metric == "accuracy" and samples and 0 <= share <= 1:
        return max(noise, math.sqrt(max(share * (1 - share), 1 / samples) / samples))
    return noise
