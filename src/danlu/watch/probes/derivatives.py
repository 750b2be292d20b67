"""Derivatives of what a net gives with respect to what it was given: whether the loss made of them can be learnt."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from danlu.base.records import CodeLine
from danlu.watch.branches import taken
from danlu.watch.frames import lines_under_way, values_under_way
from danlu.watch.measured import Measured
from danlu.watch.probes.code_derivatives import goes_into_loss
from danlu.watch.probes.graph import Graph
from danlu.watch.sources import Sources

_MOST = 8  # places at which a derivative is taken
_DEPTH = 6  # functions of the user's that a value is followed through


class DerivativeProbe:
    """Follows the results of autograd.grad without a graph of their own, from where it is called, in the source."""

    writes = ("code",)

    def __init__(self, measured: Measured, sources: Sources, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        self._sources = sources
        self._owners = {id(one) for root in roots.values() for one in root.parameters()}
        self._seen: set[CodeLine] = set()

    def taken(self, tensors: Sequence[Any]) -> None:
        """The gradients of `tensors` are about to be handed out as plain numbers."""
        if "derivative" in self._measured.code or len(self._seen) >= _MOST:
            return
        lines = lines_under_way()[:_DEPTH]
        if not lines or lines[0] in self._seen:
            return
        roots = [one.grad_fn for one in tensors if isinstance(one, torch.Tensor) and one.grad_fn is not None]
        if any(id(leaf) in self._owners for root in roots for leaf in Graph.of(root).leaves):
            self._seen.add(lines[0])
            if goes_into_loss([(scope, line.line) for line in lines for scope in self._taken(line)]):
                self._measured.code["derivative"] = lines[0]

    def _taken(self, line: CodeLine) -> list[ast.AST]:
        """The function that a line stands in, without the branches that are not taken."""
        scopes = self._sources.around(line)
        return [taken(scopes[0], values_under_way(line.file), around=scopes)] if scopes else []
