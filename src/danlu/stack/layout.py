"""How members lie in a stack: side by side, those that see the same batches next to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Layout:
    """`group_of` says for each of K members which of G groups it is in; the members of a group share every batch.

    >>> layout = Layout.of([0, 0, 1, 1], torch.device("cpu"))
    >>> layout.members, layout.groups, layout.per_group
    (4, 2, 2)
    >>> layout.spread(torch.tensor([[5], [7]])).flatten().tolist()
    [5, 5, 7, 7]
    """

    group_of: tuple[int, ...]
    places: Tensor
    per_group: int | None  # members a group, where that is the same for all

    @classmethod
    def of(cls, group_of: Sequence[int], device: torch.device) -> "Layout":
        """Groups are counted from 0 in the order of their members, without gaps."""
        sizes = [len(list(members)) for _, members in groupby(group_of)]
        assert list(group_of) == [group for group, size in enumerate(sizes) for _ in range(size)]
        even = sizes[0] if len(set(sizes)) == 1 else None
        return cls(tuple(group_of), torch.tensor(group_of, device=device), even)

    @property
    def members(self) -> int:
        return len(self.group_of)

    @property
    def groups(self) -> int:
        return self.group_of[-1] + 1

    def spread(self, values: Tensor) -> Tensor:
        """[G, …] of the groups to [K, …] of the members."""
        return values if self.groups == self.members else values.index_select(0, self.places)

    def without(self, keep: Sequence[int]) -> tuple["Layout", list[int]]:
        """The layout of the members `keep` alone, and which groups are left."""
        groups = sorted({self.group_of[member] for member in keep})
        number = {group: place for place, group in enumerate(groups)}
        return Layout.of([number[self.group_of[member]] for member in keep], self.places.device), groups
