"""What modules hold in attributes from one call to the next: a state, where calls write it and answers hang on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from danlu.watch.probes.answers import moved, size
from danlu.watch.tracing import all_tensors, unreadable
from danlu.watch.trying import Copy, ModuleCall, UntriedError

_SEEN = 1e-6  # of the size of the answers: by less they move through rounding
_OTHERS = 1e-3  # of what the rows move whose state was exchanged: by more, it is one that all rows share


@dataclass(frozen=True)
class HeldTensor:
    """A tensor that an attribute of a module holds, alone or within a tuple; `version` counts its changes in place."""

    path: str
    name: str
    tensor: torch.Tensor
    version: int

    @property
    def place(self) -> tuple[str, str]:
        """Where it is held."""
        return self.path, self.name


class HeldStates:
    """Tells states from all else that modules hold: weights, constants, what was kept to look at it later."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], bool] = {}
        self._written: set[tuple[str, str]] = set()

    def of(self, module: nn.Module, rows: int) -> list[HeldTensor]:
        """Numbers with one row for each sample, [rows, …] or [layers, rows, width], that are no parameters."""
        found: list[HeldTensor] = []
        for path, one in module.named_modules():
            attributes: Mapping[str, Any] = {**vars(one), **dict(one.named_buffers(recurse=False))}
            for name, value in attributes.items():
                if name.startswith("_") and name in _OF_TORCH:
                    continue
                tensors = all_tensors(value, most=8) if isinstance(value, tuple | list | torch.Tensor) else []
                found += [
                    HeldTensor(path, name, tensor, tensor._version)
                    for tensor in tensors
                    if _has_rows(tensor, rows) and not isinstance(tensor, nn.Parameter)
                ]
        return found

    def written(self, module: nn.Module, rows: int, before: list[HeldTensor]) -> list[torch.Tensor]:
        """Those that the call since `before` has written."""
        known = {id(one.tensor): one.version for one in before}
        found = [one for one in self.of(module, rows) if known.get(id(one.tensor)) != one.version]
        self._written |= {one.place for one in found}
        return [one.tensor for one in found]

    def is_used(self, call: ModuleCall, held: HeldTensor, rows: int) -> bool:
        """Whether the answers of a call hang on it, each row on its own: tried once, on a copy. Where nothing can be
        tried, a state of a recurrent layer's width is believed to be one."""
        if held.place not in self._written:
            return False
        if held.place not in self._used:
            try:
                self._used[held.place] = _moves_its_rows(call, held, rows)
            except UntriedError:
                modules = call.module.modules()
                widths = {one.hidden_size for one in modules if isinstance(one, nn.RNNBase | nn.RNNCellBase)}
                self._used[held.place] = held.tensor.shape[-1] in widths
        return self._used[held.place]


_OF_TORCH = {"_parameters", "_buffers", "_modules", "_flat_weights"}


def _has_rows(one: torch.Tensor, rows: int) -> bool:
    if one.dim() < 2 or not one.dtype.is_floating_point or unreadable(one):
        return False
    return one.shape[0] == rows or (one.dim() == 3 and one.shape[1] == rows)


def _moves_its_rows(call: ModuleCall, held: HeldTensor, rows: int) -> bool:
    before = _first_rows(Copy(call).answer({}), rows)
    changed = Copy(call)
    changed.exchange(held.place, lambda one: _exchanged(one, rows))
    after = _first_rows(changed.answer({}), rows)
    if before is None or after is None or before.shape != after.shape:
        return False
    apart = moved(before, after).reshape(rows, -1).amax(1)
    own, others = float(apart[: rows // 2].max()), float(apart[rows // 2 :].max())
    return own > _SEEN * size(before) and others <= _OTHERS * own


def _exchanged(one: torch.Tensor, rows: int) -> torch.Tensor:
    """The states of the first half of the rows moved on by one row, and halved."""
    along = 0 if one.shape[0] == rows else 1
    if one.dim() < 2 or one.shape[along] != rows:
        return one
    half = rows // 2
    first, last = one.narrow(along, 0, half), one.narrow(along, half, rows - half)
    return torch.cat([0.5 * first.roll(1, along), last], along)


def _first_rows(answers: list[torch.Tensor], rows: int) -> torch.Tensor | None:
    """The first answer as [rows, numbers]; None where it does not tell the samples apart."""
    first = next((one for one in answers if one.dtype.is_floating_point and one.dim()), None)
    if first is None or rows < 2:
        return None
    if len(first) == rows:
        return first.reshape(rows, -1)
    return first.transpose(0, 1).reshape(rows, -1) if first.dim() > 1 and first.shape[1] == rows else None
