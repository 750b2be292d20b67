"""An expression as a diagram: values run forward in one colour, gradients back in another, as one draws it by hand."""

from collections.abc import Iterator

from danlu.base.graphs import ExpressionGraph, ValueNode
from danlu.base.words import say
from danlu.view.graphs.scene import Box, Diagram, Link, TextLine


def expression_diagram(graph: ExpressionGraph) -> Diagram:
    """Each box has its value and below it the gradient of the result; each arrow back a local derivative."""
    boxes = [Box(node.id, list(_lines(node)), node.role) for node in graph.nodes]
    links: list[Link] = []
    with_gradient = {node.id for node in graph.nodes if node.gradient}
    for edge in graph.edges:
        links.append(Link(edge.source, edge.target, "forward"))
        if edge.source in with_gradient:
            links.append(Link(edge.target, edge.source, "backward", f"× {edge.local}" if edge.local else ""))
    notes = [say("figure.expression-forward"), say("figure.expression-backward")]
    if graph.left_out:
        notes.append(say("figure.expression-left-out", count=graph.left_out))
    return Diagram(graph.title, boxes, links, sideways=True, notes=notes)


def _lines(node: ValueNode) -> Iterator[TextLine]:
    yield TextLine(node.title, "title")
    if node.value and node.value != node.title:
        yield TextLine(node.value, "forward")
    if node.gradient:
        yield TextLine(f"∂ {node.gradient}", "backward")
