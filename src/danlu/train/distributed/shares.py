"""Which samples of a batch each process takes: neighbours of about the same number, each sample once."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor


def bounds(samples: int, parts: int) -> list[tuple[int, int]]:
    """Where each of so many parts of a batch begins and ends; where it does not divide, the first are larger by one.

    >>> bounds(7, 3)
    [(0, 3), (3, 5), (5, 7)]
    """
    even, more = divmod(samples, parts)
    starts = [place * even + min(place, more) for place in range(parts + 1)]
    return list(pairwise(starts))


@dataclass(frozen=True)
class Sharing:
    """How a batch is shared by `world` processes, of which this is `rank`: it is cut into `parts`, and each process
    takes a few that lie side by side. Which parts there are does not depend on who takes them.

    >>> Sharing(parts=4, rank=0, world=3).own, Sharing(parts=4, rank=2, world=3).own
    ([0, 1], [3])
    """

    parts: int
    rank: int = 0
    world: int = 1

    @property
    def own(self) -> list[int]:
        """The numbers of the parts that this process takes."""
        first, last = bounds(self.parts, self.world)[self.rank]
        return list(range(first, last))

    @property
    def most(self) -> int:
        """How many parts a process takes at most."""
        return -(-self.parts // self.world)

    def slice_of(self, samples: int) -> tuple[int, int]:
        """From where to where this process takes the samples of a batch.

        >>> Sharing(parts=2, rank=1, world=2).slice_of(5)
        (3, 5)
        """
        places = bounds(samples, self.parts)
        return places[self.own[0]][0], places[self.own[-1]][1]


class Share(tuple[Tensor, Tensor]):
    """Inputs and targets of one process alone, out of a batch of `samples`; where none is its own, the first of all."""

    samples: int

    @classmethod
    def of(cls, inputs: Tensor, targets: Tensor, samples: int) -> "Share":
        """Those that a process has read of a batch."""
        share = cls((inputs, targets))
        share.samples = samples
        return share
