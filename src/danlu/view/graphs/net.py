"""A folded net as a diagram: what each layer is, the shape it gives, its parameters and multiply-adds."""

from collections.abc import Iterator

from danlu.base.graphs import NetGraph
from danlu.base.shapes import show_shape
from danlu.base.words import say
from danlu.view.graphs.scene import Box, Diagram, Link, TextLine
from danlu.view.info.fold import FoldedGraph, Part, fold

_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIGNS = {"add": "+", "mul": "×", "sub": "−", "div": "÷", "cat": "concatenate", "matmul": "matrix product"}


def net_diagram(graph: NetGraph, most: int | None = None) -> Diagram:
    """The net folded to about `most` boxes, and beside it what is inside its blocks."""
    folded = fold(graph, most) if most else fold(graph)
    insets = [
        Diagram(say("figure.inside", block=inner.title), list(_boxes(inner, None)), _links(inner))
        for inner in folded.inside
    ]
    note = say(
        "figure.net-totals",
        parameters=f"{graph.parameters:,}",
        multiply_adds=f"{graph.multiply_adds:,}",
        shape=show_shape(graph.input_shape),
    )
    return Diagram(graph.name, list(_boxes(folded, graph)), _links(folded), insets, notes=[note])


def _boxes(folded: FoldedGraph, graph: NetGraph | None) -> Iterator[Box]:
    """The boxes of a net, or of what is inside a block (without its `graph`: the ends have no shapes of their own)."""
    ends = {end for edge in folded.edges for end in edge}
    if "input" in ends:
        shape = [TextLine(show_shape(graph.input_shape), "faint")] if graph else []
        yield Box("input", [TextLine(say("figure.input")), *shape], "end")
    for part in folded.parts:
        yield Box(part.id, list(_lines(part, narrow=graph is None)), _role(part))
    if "output" in ends:
        shape = [TextLine(show_shape(graph.output_shape), "faint")] if graph else []
        yield Box("output", [TextLine(say("figure.output")), *shape], "end")


def _links(folded: FoldedGraph) -> list[Link]:
    return [Link(source, target) for source, target in folded.edges]


def _role(part: Part) -> str:
    return "block" if part.block else "operation" if part.operation else "layer"


def _lines(part: Part, *, narrow: bool) -> Iterator[TextLine]:
    times = part.repeats if part.repeats > 1 else part.calls
    repeated = f"  ×{times}" if times > 1 else ""
    if part.operation:
        yield TextLine(_SIGNS.get(part.kind, part.kind) + repeated, "title")
    else:
        yield TextLine(part.title + repeated, "title")
        yield TextLine(f"{part.kind} {part.detail}".strip())
    yield from (TextLine(" + ".join(part.also[at : at + 2])) for at in range(0, len(part.also), 2))
    yield TextLine(show_shape(part.output_shape), "faint")
    facts: list[str] = []
    if part.parameters:
        facts.append(say("figure.parameters", count=compact(part.parameters * part.repeats)))
    if part.multiply_adds:
        facts.append(say("figure.multiply-adds", count=compact(part.multiply_adds * part.repeats)))
    yield from (TextLine(fact, "faint") for fact in (facts if narrow else [" · ".join(facts)] if facts else []))


def compact(count: int) -> str:
    """A large number in few signs.

    >>> compact(61706), compact(118013952), compact(10)
    ('61.7 k', '118 M', '10')
    """
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 999.5 * size else f"{count / size:.0f} {unit}"
    return str(count)
