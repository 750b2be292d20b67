"""Walks the autograd graph of a loss, before it is freed, and names what stands in it."""

import functools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from danlu.watch.tracing import unreadable, unwrapped

Node = Any
"""A torch.autograd.graph.Node; which `_saved_…` attributes it has depends on the operation."""

LINEAR = {"Addmm", "Mm", "Linear", "Convolution", "ThnnConv2D", "SlowConv2D", "MkldnnLinear", "Addmv", "Mv"}
LAYERS = LINEAR | {
    "Bmm",
    "Baddbmm",
    "Embedding",
    "EmbeddingBag",
    "MkldnnRnnLayer",
    "CudnnRnn",
    "MpsLstm",
    "CompiledFunction",
    "NativeBatchNorm",
    "CudnnBatchNorm",
    "NativeLayerNorm",
    "NativeGroupNorm",
    "ScaledDotProductFlashAttentionForCpu",
}
# Operations that hand a tensor on, or scale and shift it: two linear layers with only these between them are one.
PASSING = {
    "View", "UnsafeView", "Reshape", "ReshapeAlias", "Squeeze", "Unsqueeze", "Permute", "Transpose", "T", "Clone",
    "ToCopy", "Alias", "Slice", "Select", "Expand", "Flatten", "Unflatten", "Contiguous", "ConstantPadNd", "AsStrided",
    "SelectScatter", "MovedimInt", "Narrow", "Split", "Unbind", "Chunk", "NativeDropout", "AvgPool2D", "MeanDim",
    "AdaptiveAvgPool2D", "Mean", "UpsampleNearest2D", "UpsampleBilinear2D",
}  # fmt: skip
NORMS = {"NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm"}
POOLS = {"MaxPool2DWithIndices", "AdaptiveMaxPool2D", "MaxPool1DWithIndices"}
_RESIZING = POOLS | {"AvgPool2D", "AvgPool1D", "AdaptiveAvgPool2D", "UpsampleNearest2D", "UpsampleBilinear2D"}
# What is known of an activation: the attribute of its node that holds the result, and its lower and upper bound.
ACTIVATIONS: Mapping[str, tuple[str, float | None, float | None]] = {
    "Relu": ("_saved_result", 0.0, None),
    "Sigmoid": ("_saved_result", 0.0, 1.0),
    "Tanh": ("_saved_result", -1.0, 1.0),
    "Softplus": ("_saved_self", None, None),
    "Elu": ("_saved_self", None, None),
    "Gelu": ("_saved_self", None, None),
    "Silu": ("_saved_self", None, None),
    "LeakyRelu": ("_saved_self", None, None),
    "Hardtanh": ("_saved_self", None, None),
    "Mish": ("_saved_self", None, None),
    "Softmax": ("_saved_result", None, None),
    "LogSoftmax": ("_saved_result", None, None),
    "LogSigmoid": ("_saved_self", None, None),
    "Exp": ("_saved_result", None, None),
    "Hardsigmoid": ("_saved_self", None, None),
    "Hardswish": ("_saved_self", None, None),
    "Prelu": ("_saved_self", None, None),
    "PreluKernel": ("_saved_self", None, None),
    "Clamp": ("_saved_self", None, None),
    "ClampMin": ("_saved_self", None, None),
}
_NUMBERED = re.compile(r"Backward\d*$")
_MOST = 20_000
_MOST_ABOVE, _FEW = 400, 64  # nodes above the layers, and numbers of a parameter of a loss


@functools.cache
def _operation(name: str) -> str:
    return _NUMBERED.sub("", name.rpartition("::")[2])


def operation(node: Node) -> str:
    """The operation of a node: "Addmm" for AddmmBackward0, "AccumulateGrad" for a leaf."""
    return _operation(node.name())


def following(node: Node) -> Iterator[Node]:
    """The nodes that this one hands its gradient to; none for an input that needs no gradient."""
    return (other for other, _ in node.next_functions if other is not None)


def shape(node: Node) -> tuple[int, ...]:
    """The shape of what the operation gave; empty where the graph does not tell."""
    try:
        return tuple(int(size) for size in node._input_metadata[0].shape)
    except (AttributeError, IndexError, RuntimeError, TypeError):
        return ()


def saved(node: Node, attribute: str) -> torch.Tensor | None:
    """A tensor that the operation kept for its backward pass, detached; None where it kept none."""
    try:
        kept = getattr(node, attribute, None)
    except RuntimeError:  # freed, or changed in place since
        return None
    if not isinstance(kept, torch.Tensor):
        return None
    kept = unwrapped(kept).detach()
    return None if unreadable(kept) else kept


@dataclass
class Graph:
    """The nodes from a loss down to the parameters, in the order in which the forward pass made them."""

    root: Node
    nodes: list[Node]
    leaves: list[torch.Tensor]
    consumers: dict[Node, list[Node]] = field(default_factory=dict[Any, list[Any]])

    @classmethod
    def of(cls, root: Node) -> "Graph":
        """All that can be reached from `root`; 20,000 nodes at most."""
        seen, stack = {root}, [root]
        nodes: list[Node] = []
        leaves: list[torch.Tensor] = []
        consumers: dict[Node, list[Node]] = {}
        while stack and len(nodes) < _MOST:
            node = stack.pop()
            if operation(node) == "AccumulateGrad":
                leaves.append(node.variable)
                continue
            nodes.append(node)
            for other in following(node):
                consumers.setdefault(other, []).append(node)
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        nodes.sort(key=lambda node: node._sequence_nr())
        return cls(root, nodes, leaves, consumers)


class Names:
    """Finds the layer that a node belongs to, by the parameters right under it."""

    def __init__(self, layers: Mapping[int, str]) -> None:
        self._layers = layers  # id of a parameter: name of its module

    def knows(self, parameter: torch.Tensor) -> bool:
        """Whether it is one of the net's."""
        return id(parameter) in self._layers

    def of(self, parameter: torch.Tensor) -> str:
        """The layer of a parameter; empty where it is none of the net's."""
        return self._layers.get(id(parameter), "")

    def own(self, node: Node) -> str | None:
        """The layer whose parameters the node uses directly; None where it uses none of the net's."""
        for other in following(node):
            turned = operation(other) in ("T", "Transpose", "Permute", "Expand", "ToCopy", "View", "Unsqueeze")
            leaf = next(following(other), other) if turned else other
            if operation(leaf) == "AccumulateGrad" and id(leaf.variable) in self._layers:
                return self._layers[id(leaf.variable)]
        return None

    def before(self, node: Node) -> str | None:
        """The nearest layer on the way from the node down, along first inputs."""
        for _ in range(64):
            name = self.own(node)
            if name is not None:
                return name
            onward = [other for other in following(node) if operation(other) != "AccumulateGrad"]
            if not onward:
                return None
            node = onward[0]
        return None


def own_parameters(root: Node) -> Iterator[torch.nn.Parameter]:
    """The few numbers to be learnt that a loss meets above all layers, such as weights of its terms."""
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_ABOVE:
        node = stack.pop()
        if operation(node) == "AccumulateGrad":
            one = node.variable
            if isinstance(one, torch.nn.Parameter) and one.dim() <= 1 and one.numel() <= _FEW:
                yield one
        elif operation(node) not in LAYERS:
            under = [one for one in following(node) if one not in seen]
            seen.update(under)
            stack += under


def passes_on(node: Node) -> bool:
    """Whether the operation is linear in its one input that a gradient goes to."""
    kind = operation(node)
    if kind in PASSING or kind in NORMS:
        return True
    inputs = sum(1 for _ in following(node))
    return kind in ("Mul", "Div", "Add", "Sub", "Neg") and inputs == 1


def linear_pairs(graph: Graph, names: Names) -> tuple[list[tuple[str, str]], list[str], bool]:
    """Pairs of layers with nothing non-linear between them; the layers on the graph; whether anything is non-linear.

    Only where the first layer's result goes to the second one and nowhere else. Pooled or enlarged between them it is
    meant to be so where the net has activations elsewhere.
    """
    pairs: list[tuple[str, str]] = []
    activated = any(operation(node) in ACTIVATIONS for node in graph.nodes)
    linear: list[str] = []
    for node in graph.nodes:
        if operation(node) not in LINEAR:
            continue
        name = names.own(node)
        if name is None:
            continue
        if name not in linear:
            linear.append(name)
        at = node
        while len(graph.consumers.get(at, ())) == 1:
            user = graph.consumers[at][0]
            if activated and operation(user) in _RESIZING:
                break
            if operation(user) in LINEAR:
                second = names.own(user)
                if second is not None and second != name and (name, second) not in pairs:
                    pairs.append((name, second))
                break
            if not passes_on(user) and operation(user) not in POOLS:
                break
            at = user
    return pairs, linear, _bends(graph.nodes)


def bottlenecks(graph: Graph, names: Names, asked: Collection[str]) -> list[str]:
    """Of the layers that are `asked` about those through which everything goes: what comes before them reaches the loss
    by no other way, and what comes after them is made of what they give."""
    layers = {node: names.own(node) or "" for node in graph.nodes if operation(node) in LAYERS}
    found: list[str] = []
    for name in dict.fromkeys(layers.values()):
        if name not in asked:
            continue
        own = {node for node, other in layers.items() if other == name}
        around = _reached({graph.root} - own, following, without=own)
        above = _reached(own, lambda node: graph.consumers.get(node, ()))
        if all(node in above for node in layers if node in around):
            found.append(name)
    return found


def _reached(start: set[Node], onward: Callable[[Node], Iterable[Node]], without: Collection[Node] = ()) -> set[Node]:
    seen, stack = set(start), list(start)
    while stack:
        for other in onward(stack.pop()):
            if other not in seen and other not in without:
                seen.add(other)
                stack.append(other)
    return seen


def _bends(nodes: Iterable[Node]) -> bool:
    """Whether any operation under the loss's last layer is neither linear nor a mere passing on."""
    last = max((n for n, node in enumerate(nodes) if operation(node) in LINEAR), default=-1)
    for node in list(nodes)[:last]:
        kind = operation(node)
        if kind not in LINEAR and kind not in POOLS and not passes_on(node):
            return True
    return False
