"""Where the first number that is none came from, asked at the step whose loss is not finite."""

from collections.abc import Iterable

import torch

from danlu.watch.probes.graph import Graph, Names, following, operation, saved

_RESULTS = ("_saved_result", "_saved_result0", "_saved_output")
_OPERANDS = ("_saved_mat1", "_saved_input", "_saved_self", "_saved_other")


def first_nonfinite(
    graph: Graph | None, names: Names, parameters: Iterable[torch.Tensor], inputs: torch.Tensor | None
) -> tuple[str, str]:
    """The layer, and what of it: "input", "weight", "activation", or "loss" with the operation in place of a layer."""
    if inputs is not None and not _is_finite(inputs):
        return "", "input"
    for parameter in parameters:
        if not _is_finite(parameter):
            return names.of(parameter), "weight"
    last = ""
    for node in graph.nodes if graph else ():
        last = names.own(node) or last
        if any(not _is_finite(tensor) for tensor in (saved(node, key) for key in _RESULTS) if tensor is not None):
            return _place(names, node, last), "activation"
        if any(not _is_finite(tensor) for tensor in (saved(node, key) for key in _OPERANDS) if tensor is not None):
            under = next(following(node), node)
            return _place(names, under, last), "activation"
    return operation(graph.root) if graph else "", "loss"


def _place(names: Names, node: object, last: str) -> str:
    return names.before(node) or last


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.dtype.is_floating_point or not tensor.numel():
        return True
    return bool(torch.isfinite(tensor.detach().sum())) or bool(torch.isfinite(tensor.detach()).all())
