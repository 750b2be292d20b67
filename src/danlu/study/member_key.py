"""Which training of a study: the one identity that plans, stacks, folders and records share."""

from collections.abc import Mapping
from dataclasses import dataclass

from danlu.study.levels import Level


@dataclass(frozen=True)
class MemberKey:
    """A combination of levels, a seed, a fold.

    >>> MemberKey({"b": 1, "a": 2}, 0, 3).key == MemberKey({"a": 2, "b": 1}, 0, 3).key
    True
    """

    factors: Mapping[str, Level]
    seed: int
    fold: int

    @property
    def key(self) -> str:
        """The same for the same member in every process."""
        return f"{sorted(self.factors.items(), key=str)} {self.seed} {self.fold}"
