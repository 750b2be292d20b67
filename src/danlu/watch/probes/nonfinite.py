"""Where the first number that is none came from, asked at the step whose loss is not finite."""

from collections.abc import Iterable, Mapping

import torch

from danlu.watch.probes.graph import Graph, Names, Node, following, operation, saved
from danlu.watch.tracing import unreadable

_RESULTS = ("_saved_result", "_saved_result0", "_saved_output")
_OPERANDS: Mapping[str, int] = {"_saved_mat1": 1, "_saved_input": 0, "_saved_self": 0, "_saved_other": 1}
"""What an operation keeps of its operands, and the place of each among those that a gradient goes to."""


def first_nonfinite(
    graph: Graph | None, names: Names, parameters: Iterable[torch.Tensor], inputs: torch.Tensor | None
) -> tuple[str, str, torch.Tensor | None]:
    """The layer, and what of it: "input" (with that tensor), "weight", "activation", or "loss" with the operation in
    place of a layer. Where the `inputs` are not known, the graph tells them: no gradient goes there."""
    if inputs is not None and not _is_finite(inputs):
        return "", "input", inputs
    for parameter in parameters:
        if not _is_finite(parameter):
            return names.of(parameter), "weight", None
    last = ""
    for node in graph.nodes if graph else ():
        last = names.own(node) or last
        if any(not _is_finite(tensor) for tensor in (saved(node, key) for key in _RESULTS) if tensor is not None):
            return _place(names, node, last), "activation", None
        for key, place in _OPERANDS.items():
            operand = saved(node, key)
            if operand is None or _is_finite(operand):
                continue
            if inputs is None and _is_given(node, place):
                return "", "input", operand
            return _place(names, _source(node, place), last), "activation", None
    return operation(graph.root) if graph else "", "loss", None


def _source(node: Node, place: int) -> Node:
    """The node that computed the operand at that place."""
    functions = node.next_functions
    return (functions[place][0] if len(functions) > place else None) or next(following(node), node)


def _is_given(node: Node, place: int) -> bool:
    """Whether the operand at that place was computed from nothing that has a gradient."""
    return len(node.next_functions) > place and node.next_functions[place][0] is None


def _place(names: Names, node: object, last: str) -> str:
    return names.before(node) or last


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.dtype.is_floating_point or not tensor.numel() or unreadable(tensor):
        return True
    return bool(torch.isfinite(tensor.detach().sum())) or bool(torch.isfinite(tensor.detach()).all())
