"""Which rows of each parameter a process holds, as FSDP cuts them, and what all of them make together."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.train.distributed.group import TrainingGroup, tell, tell_bytes
from danlu.train.tensor_file import pack, unpack


class Parts:
    """The parts of a net's parameters, which lie in this process as ordinary ones, in the memory that FSDP uses.

    `held` are the same as FSDP has them; those that it leaves alone, all processes hold whole, in both lists.
    `layouts` are shape and strides of the whole ones: in these they come together again.
    """

    def __init__(
        self, held: Sequence[nn.Parameter], layouts: Sequence[tuple[torch.Size, tuple[int, ...]]], group: TrainingGroup
    ) -> None:
        self.held = list(held)
        self.own = [_own_part(one) for one in held]
        self.numbers = {id(one): number for number, one in enumerate(self.held)}
        self._layouts = layouts
        self._group = group

    def is_whole(self, number: int) -> bool:
        """Whether all processes hold the whole of that parameter."""
        return self.held[number] is self.own[number]

    def cut(self, number: int, whole: Tensor) -> Tensor:
        """This process's part of a tensor that has a number for each entry of that parameter."""
        if self.is_whole(number):
            return whole
        rows = -(-len(whole) // self._group.world)
        return whole.detach().contiguous()[rows * self._group.rank : rows * (self._group.rank + 1)].clone()

    def together(self, number: int, part: Tensor) -> Tensor:
        """The whole of it, in all processes, which call this alike."""
        shape, strides = self._layouts[number]
        part = part.detach()
        if not self.is_whole(number):
            filled = part.new_zeros(-(-shape[0] // self._group.world), *shape[1:])
            filled[: len(part)] = part
            part = self._group.rows(filled).flatten(0, 1)[: shape[0]]
        return torch.empty_strided(shape, strides, dtype=part.dtype, device=part.device).copy_(part)

    def in_first(self, number: int, part: Tensor) -> Tensor:
        """The whole of it in the first process, and nothing in the others, which call this alike."""
        whole = self.together(number, part)
        return whole if self._group.rank == 0 else whole.new_empty(0)


def _own_part(held: nn.Parameter) -> nn.Parameter:
    given: Any = held
    return nn.Parameter(given.to_local().detach(), held.requires_grad) if hasattr(given, "to_local") else held


def told(group: TrainingGroup, tensor: Tensor | None) -> Tensor:
    """The tensor of the process of rank 0; the others' do not count."""
    content, note = pack({"": tensor}) if tensor is not None and group.rank == 0 else (b"", {})
    note = tell(group, note)
    return unpack(tell_bytes(group, content), note)[""]
