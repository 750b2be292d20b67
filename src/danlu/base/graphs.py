"""Graphs as plain frozen records: a net by its modules, and an expression by its operations."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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


def graph_record(graph: NetGraph) -> dict[str, Any]:
    """The graph as a record of a journal."""
    return {"kind": "net", **asdict(graph)}


def read_graph(record: Mapping[str, Any]) -> NetGraph:
    """The graph that `graph_record` wrote. ValueError, KeyError or TypeError where the record is another."""
    nodes = [
        LayerNode(
            id=str(node["id"]),
            kind=str(node["kind"]),
            path=tuple(str(part) for part in node["path"]),
            output_shape=tuple(int(size) for size in node["output_shape"]),
            parameters=int(node["parameters"]),
            multiply_adds=int(node["multiply_adds"]),
            detail=str(node["detail"]),
            calls=int(node["calls"]),
            operation=bool(node["operation"]),
        )
        for node in record["nodes"]
    ]
    if len(nodes) > MOST_NODES:
        raise ValueError("a graph too large to be drawn")
    known = {"input", "output", *(node.id for node in nodes)}
    edges = tuple((str(source), str(target)) for source, target in record["edges"])
    if not all(node.path for node in nodes) or not {end for edge in edges for end in edge} <= known:
        raise ValueError("a graph's edges join its nodes")
    return NetGraph(
        name=str(record["name"]),
        nodes=tuple(nodes),
        edges=edges,
        kinds={str(path): str(kind) for path, kind in dict(record["kinds"]).items()},
        input_shape=tuple(int(size) for size in record["input_shape"]),
        output_shape=tuple(int(size) for size in record["output_shape"]),
        parameters=int(record["parameters"]),
        multiply_adds=int(record["multiply_adds"]),
    )


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
