"""Graphs as plain frozen records: a net by its modules, and an expression by its operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_NODES = 5000


@dataclass(frozen=True)
class LayerNode:
    """A layer, or an operation between layers. `path` names the modules it lies in, outermost first and itself last;
    the shape is that of one sample; `calls` counts how often it ran in one pass."""

    id: str
    kind: str
    path: tuple[str, ...]
    output_shape: tuple[int, ...]
    parameters: int = 0
    multiply_adds: int = 0
    detail: str = ""
    calls: int = 1
    operation: bool = False  # no module


@dataclass(frozen=True)
class NetGraph:
    """What flows where in one pass of a net. The nodes stand in the order in which they first ran; "input" and "output"
    are the ids of the two ends. `kinds` holds the class of each module by its dotted name."""

    name: str
    nodes: tuple[LayerNode, ...]
    edges: tuple[tuple[str, str], ...]
    kinds: Mapping[str, str] = field(default_factory=dict[str, str])
    input_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()
    parameters: int = 0
    multiply_adds: int = 0


@dataclass(frozen=True)
class ValueNode:
    """A number or a tensor in an expression: where it comes from (`title`: a name, a constant, or the sign of the
    operation), its value, and the gradient of the result with respect to it; "" where that is not known. Tensors are
    told by shape and size."""

    id: str
    title: str
    role: str  # leaf, constant, operation, result
    value: str = ""
    gradient: str = ""


@dataclass(frozen=True)
class ValueEdge:
    """`source` enters `target`; `local` is the derivative of the target's value with respect to the source's."""

    source: str
    target: str
    local: str = ""


@dataclass(frozen=True)
class ExpressionGraph:
    """An expression from its leaves to its result."""

    title: str
    nodes: tuple[ValueNode, ...]
    edges: tuple[ValueEdge, ...]
    left_out: int = 0  # operations further from the result than can be drawn
