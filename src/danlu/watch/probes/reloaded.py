"""Weights that are loaded into a net: whether they were kept as a copy, or are the net's own."""

import linecache
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.conduct import Unfair
from danlu.watch.frames import calling_line
from danlu.watch.measured import Measured
from danlu.watch.tracing import is_unmade, unreadable

_MADE_NOW = ".state_dict()"


class ReloadProbe:
    """Compares what is loaded with what the net holds: `state_dict()` gives the weights themselves, which move on."""

    writes = ("unfair",)

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        self._roots = {id(root) for root in roots.values()}

    def loaded(self, module: nn.Module, state: Any) -> None:
        """A state is about to be loaded into a module."""
        if id(module) not in self._roots or not self._measured.step or not isinstance(state, Mapping):
            return
        own = {name: one for name, one in module.named_parameters() if not is_unmade(one) and one.numel()}
        pairs = [(one, state.get(name)) for name, one in own.items()]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if not pairs or not all(_is_same(one, other) for one, other in pairs):
            return
        line = calling_line()
        if line is not None and _MADE_NOW in linecache.getline(line.file, line.line).partition("load_state_dict")[2]:
            return  # one statement takes the state and gives it back, which changes nothing and keeps nothing
        if line is not None:
            self._measured.lines.setdefault("reloaded", line)
        self._measured.unfair.setdefault("kept", Unfair(self._measured.step))


def _is_same(one: torch.Tensor, other: Any) -> bool:
    """Whether both are the same memory."""
    known = isinstance(other, torch.Tensor) and not unreadable(one) and not unreadable(other)
    return known and other.shape == one.shape and other.data_ptr() == one.data_ptr()
