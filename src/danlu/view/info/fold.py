"""A net's graph folded until it can be read on one page: by its own blocks, light layers joined to those before them,
blocks in a row that are alike drawn once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from danlu.base.graphs import LayerNode, NetGraph

MOST_NODES = 20
_MOST_INSIDE = 16
_MOST_FRAMES = 3
_MANY = 4  # from here on it does not matter how many layers of a sort a block has
Path = tuple[str, ...]
_UNNAMED = {"Sequential", "ModuleList", "ModuleDict"}
_LIGHT = (
    "relu", "relu6", "leakyrelu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid",
    "hardswish", "hardtanh", "hardsigmoid", "softmax", "log_softmax", "logsoftmax", "softplus", "identity", "flatten",
    "unflatten", "dropout", "dropout1d", "dropout2d", "dropout3d", "alphadropout", "batchnorm1d", "batchnorm2d",
    "batchnorm3d", "layernorm", "groupnorm", "rmsnorm", "instancenorm1d", "instancenorm2d", "localresponsenorm",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A box of the folded graph: one layer with the light ones behind it, one operation, or a whole block."""

    id: str
    title: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    detail: str = ""
    also: tuple[str, ...] = ()  # kinds of the light layers joined to it
    repeats: int = 1  # parts in a row that are alike
    calls: int = 1
    layers: int = 1  # nodes of the net in it
    block: bool = False
    operation: bool = False


@dataclass(frozen=True)
class FoldedGraph:
    """A graph that fits a page. `inside` shows what is within blocks of it, one of each kind."""

    title: str
    parts: tuple[Part, ...]
    edges: tuple[tuple[str, str], ...]
    inside: tuple["FoldedGraph", ...] = ()


def fold(graph: NetGraph, most: int = MOST_NODES) -> FoldedGraph:
    """The graph with at most about `most` parts: its blocks are opened, all of one class together, as far as that
    allows. What runs beside each other at the top stays, however much it is.

    >>> node = LayerNode("0", "Linear", ("0",), (8,), 40)
    >>> light = LayerNode("1", "ReLU", ("1",), (8,))
    >>> fold(NetGraph("net", (node, light), (("input", "0"), ("0", "1"), ("1", "output")))).parts[0].also
    ('ReLU',)
    """
    opened: set[Path] = {()}
    folded = _condensed(graph, opened)
    while True:
        for wider in _next_openings(graph, opened):
            tried = _condensed(graph, wider)
            if len(tried.parts) <= max(most, len(folded.parts)):
                opened, folded = wider, tried
                break
        else:
            break
    return replace(folded, inside=tuple(_insides(graph, folded)))


def _next_openings(graph: NetGraph, opened: set[Path]) -> list[set[Path]]:
    """What could be opened next: all containers without a class of their own, or all blocks of one class with the
    nameless containers that come to light in them."""
    by_kind: dict[str, set[Path]] = {}
    for path, kind in _closed(graph, opened):
        by_kind.setdefault("" if kind in _UNNAMED else kind, set()).add(path)
    kinds = sorted(by_kind, key=lambda kind: (kind != "", len(by_kind[kind]), kind))
    wider = [_with_unnamed(graph, opened | by_kind[kind]) for kind in kinds]
    return [*wider, opened | by_kind[""]] if "" in by_kind else wider


def _with_unnamed(graph: NetGraph, opened: set[Path]) -> set[Path]:
    while more := {path for path, kind in _closed(graph, opened) if kind in _UNNAMED}:
        opened = opened | more
    return opened


def _closed(graph: NetGraph, opened: set[Path]) -> Iterator[tuple[Path, str]]:
    """The containers that show as one box, with their classes."""
    for node in graph.nodes:
        group = _group(node.path, opened)
        if len(group) < len(node.path):
            yield group, graph.kinds.get(".".join(group), "Sequential")


def _group(path: Path, opened: set[Path]) -> Path:
    length = 0
    while length < len(path) and path[:length] in opened:
        length += 1
    return path[:length]


def _condensed(graph: NetGraph, opened: set[Path]) -> FoldedGraph:
    groups = {node.id: _group(node.path, opened) for node in graph.nodes}
    members: dict[str, list[LayerNode]] = {}
    for node in graph.nodes:
        members.setdefault(_id(groups[node.id], node), []).append(node)
    home = {node.id: id for id, nodes in members.items() for node in nodes}
    edges = dict.fromkeys((home.get(a, a), home.get(b, b)) for a, b in graph.edges)
    parts = {id: _part(graph, id, nodes, groups[nodes[0].id]) for id, nodes in members.items()}
    # A block's shape is that of the node whose output leaves it.
    for source, target in graph.edges:
        inner = next((node for node in graph.nodes if node.id == source), None) if home.get(source) else None
        if inner is not None and home[source] != home.get(target, target):
            parts[home[source]] = replace(parts[home[source]], output_shape=inner.output_shape)
    joined = _join_light(parts, [edge for edge in edges if edge[0] != edge[1]])
    return FoldedGraph(graph.name, *_join_alike(*joined, _structures(members)))


def _id(group: tuple[str, ...], node: LayerNode) -> str:
    return node.id if len(group) == len(node.path) else ".".join(group)


def _part(graph: NetGraph, id: str, nodes: Sequence[LayerNode], group: tuple[str, ...]) -> Part:
    first = nodes[0]
    if len(group) == len(first.path):
        return Part(
            id, ".".join(first.path), first.kind, first.output_shape, first.parameters,
            first.multiply_adds, first.detail, calls=first.calls, operation=first.operation,
        )  # fmt: skip
    parameters, work = sum(node.parameters for node in nodes), sum(node.multiply_adds for node in nodes)
    kind = graph.kinds.get(id, "")
    return Part(id, id, kind, nodes[-1].output_shape, parameters, work, layers=len(nodes), block=True)


def _neighbours(edges: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for source, target in edges:
        before.setdefault(target, []).append(source)
        after.setdefault(source, []).append(target)
    return before, after


def _is_light(part: Part) -> bool:
    return not part.block and not part.multiply_adds and part.kind.lower() in _LIGHT


def _join_light(
    parts: Mapping[str, Part], edges: Sequence[tuple[str, str]]
) -> tuple[dict[str, Part], list[tuple[str, str]]]:
    """Light layers go into the box of the layer before them, where nothing else comes from that one."""
    kept, home = dict(parts), {id: id for id in parts}
    before, after = _neighbours(edges)
    for id, part in parts.items():
        sources = before.get(id, [])
        if not _is_light(part) or len(sources) != 1 or sources[0] not in home:
            continue
        target = home[sources[0]]
        if kept[target].block or after[sources[0]] != [id]:
            continue
        grown = kept[target]
        kept[target] = replace(
            grown,
            also=(*grown.also, part.kind),
            output_shape=part.output_shape,
            parameters=grown.parameters + part.parameters,
            layers=grown.layers + part.layers,
        )
        del kept[id]
        home = {name: target if box == id else box for name, box in home.items()}
    moved = dict.fromkeys((home.get(a, a), home.get(b, b)) for a, b in edges)
    return kept, [edge for edge in moved if edge[0] != edge[1]]


def _join_alike(
    parts: Mapping[str, Part], edges: Sequence[tuple[str, str]], structures: Mapping[str, object]
) -> tuple[tuple[Part, ...], tuple[tuple[str, str], ...]]:
    """Blocks in a row that are alike in all that is written on them, and in what is within, become one."""
    kept, home = dict(parts), {id: id for id in parts}
    before, after = _neighbours(edges)
    for id, part in parts.items():
        sources = before.get(id, [])
        if not part.block or len(sources) != 1 or sources[0] not in home or after[sources[0]] != [id]:
            continue
        first = kept[home[sources[0]]]
        same = replace(part, id=first.id, title=first.title, repeats=first.repeats) == first
        if same and structures[id] == structures[sources[0]]:
            title = f"{first.title.partition(' … ')[0]} … {part.title}"
            kept[first.id] = replace(first, title=title, repeats=first.repeats + 1)
            del kept[id]
            home = {name: first.id if box == id else box for name, box in home.items()}
    moved = dict.fromkeys((home.get(a, a), home.get(b, b)) for a, b in edges)
    return tuple(kept.values()), tuple(edge for edge in moved if edge[0] != edge[1])


def _structures(members: Mapping[str, Sequence[LayerNode]]) -> dict[str, object]:
    return {
        id: tuple((node.kind, node.detail, node.output_shape, node.parameters) for node in nodes)
        for id, nodes in members.items()
    }


def _insides(graph: NetGraph, folded: FoldedGraph) -> list[FoldedGraph]:
    """The first block of each class, and one more where another of that class consists of other layers."""
    shown: dict[tuple[str, object], FoldedGraph] = {}
    for part in (part for part in folded.parts if part.block):
        inside = _inside(graph, part)
        counts = Counter((node.kind, node.detail) for node in inside.nodes)
        layers = frozenset((layer, min(count, _MANY)) for layer, count in counts.items())
        if (part.kind, layers) not in shown and sum(kind == part.kind for kind, _ in shown) < 2:
            shown[part.kind, layers] = fold(inside, _MOST_INSIDE)
    frames: list[FoldedGraph] = []
    for frame in shown.values():
        nested = [inner for inner in frame.inside if not inner.title.endswith(tuple(f"({kind})" for kind, _ in shown))]
        frames += [replace(frame, inside=()), *nested]
    return frames[:_MOST_FRAMES]


def _inside(graph: NetGraph, part: Part) -> NetGraph:
    """The graph within one block; what comes from outside is its input, what leaves it its output."""
    prefix = tuple(part.id.split("."))
    nodes = {node.id: node for node in graph.nodes if node.path[: len(prefix)] == prefix}
    edges: dict[tuple[str, str], None] = {}
    for source, target in graph.edges:
        if source in nodes or target in nodes:
            edges[source if source in nodes else "input", target if target in nodes else "output"] = None
    return replace(
        graph,
        name=f"{part.title.partition(' … ')[0]} ({part.kind})",
        nodes=tuple(replace(node, path=node.path[len(prefix) :] or node.path[-1:]) for node in nodes.values()),
        edges=tuple(edges),
        kinds={
            ".".join(path[len(prefix) :]): kind
            for path, kind in ((tuple(name.split(".")), kind) for name, kind in graph.kinds.items())
            if path[: len(prefix)] == prefix and len(path) > len(prefix)
        },
    )
