"""Where the time of a training went, and what of the machine it used meanwhile."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from danlu.store.records import TimeSpent

PARTS = ("data", "forward", "backward", "update", "validation", "saving", "other")


@dataclass(frozen=True)
class TimeShares:
    """Seconds by what they went for, those that took none left out; and for each stretch of the training the seconds
    after which it ended, the cores that computed in it, and the bytes of memory that were held at its end; of a GPU's
    memory the most by then. What is not known is None."""

    seconds: Mapping[str, float]
    ends: tuple[float, ...]
    cores: tuple[float | None, ...]
    memory: tuple[float | None, ...]
    gpu: tuple[float | None, ...]

    @property
    def total(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())

    def as_dict(self) -> dict[str, float]:
        """What `--json` tells: seconds by part, those of all cores together, and the most bytes of memory."""
        lengths = [end - begin for begin, end in itertools.pairwise((0.0, *self.ends))]
        processor = sum(cores * seconds for cores, seconds in zip(self.cores, lengths, strict=True) if cores)
        told = {part: round(self.seconds.get(part, 0.0), 4) for part in PARTS} | {"processor": round(processor, 4)}
        most = {"memory_bytes": self.memory, "gpu_bytes": self.gpu}
        return told | {name: max(filter(None, values)) for name, values in most.items() if any(values)}


def time_spent(records: Sequence[TimeSpent]) -> TimeShares | None:
    """What the records of a run tell; None where it has none, as older runs have not.

    >>> told = time_spent([TimeSpent(step=9, seconds=2.0, forward=1.25, processor=4.0)])
    >>> told.seconds, told.cores
    ({'forward': 1.25, 'other': 0.75}, (2.0,))
    """
    sound = [one for one in records if math.isfinite(one.seconds) and one.seconds > 0]
    if not sound:
        return None
    seconds = {part: sum(_amount(getattr(one, part)) for one in sound) for part in PARTS[:-1]}
    ends = tuple(itertools.accumulate(one.seconds for one in sound))
    seconds["other"] = max(0.0, ends[-1] - sum(seconds.values()))
    return TimeShares(
        {part: amount for part, amount in seconds.items() if amount > 0},
        ends,
        tuple(_amount(one.processor) / one.seconds or None for one in sound),
        tuple(float(one.memory) or None for one in sound),
        tuple(float(one.gpu) or None for one in sound),
    )


def _amount(value: float) -> float:
    """A number of a record; a damaged one tells nothing."""
    return value if math.isfinite(value) and value > 0 else 0.0
