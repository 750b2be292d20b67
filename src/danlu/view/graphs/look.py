"""How boxes and arrows of graphs look, in SVG and on paper alike."""

from collections.abc import Sequence

from danlu.view.palette import LIGHT

FILL = {
    "end": "#FFFFFF",
    "layer": "#E8F1F8",
    "block": "#E4F4EE",
    "operation": "#FBF3E3",
    "leaf": "#E8F1F8",
    "constant": "#F3F3F3",
    "result": "#E4F4EE",
}
BORDER = {
    "end": LIGHT["grey"],
    "layer": LIGHT["blue"],
    "block": LIGHT["green"],
    "operation": LIGHT["amber"],
    "leaf": LIGHT["blue"],
    "constant": LIGHT["grey"],
    "result": LIGHT["green"],
}
TEXT = {
    "title": LIGHT["ink"],
    "plain": "#333333",
    "faint": "#5F5F5F",
    "forward": "#00568A",
    "backward": "#A84900",
}
STROKE = {"plain": "#5A5A5A", "forward": LIGHT["blue"], "backward": LIGHT["orange"]}
DASHED = {"backward"}
FRAME = "#B5B5B5"
ARROW = 6.0


def arrow_head(points: Sequence[tuple[float, float]], size: float = ARROW) -> list[tuple[float, float]]:
    """The three corners of the arrow at the end of a curve.

    >>> arrow_head([(0.0, 0.0), (0.0, 10.0)], size=4)
    [(0.0, 10.0), (-1.6, 6.0), (1.6, 6.0)]
    """
    (x, y), (x1, y1) = points[-1], next(point for point in reversed(points) if point != points[-1])
    length = ((x - x1) ** 2 + (y - y1) ** 2) ** 0.5
    dx, dy = (x - x1) / length * size, (y - y1) / length * size
    return [(x, y), (x - dx - 0.4 * dy, y - dy + 0.4 * dx), (x - dx + 0.4 * dy, y - dy - 0.4 * dx)]
