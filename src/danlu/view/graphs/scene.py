"""What a picture of a graph consists of: first boxes and links, then, laid out, a scene of places in points."""

from collections.abc import Sequence
from dataclasses import dataclass, field

TITLE_SIZE = 11.0
LINE_SIZE = 9.0
_WIDE = 0.58  # width of a Latin sign, in sizes
_PADDING = 8.0


@dataclass(frozen=True)
class TextLine:
    """A line in a box; `style` is "title", "plain", "faint", "forward" or "backward"."""

    text: str
    style: str = "plain"

    @property
    def size(self) -> float:
        return TITLE_SIZE if self.style == "title" else LINE_SIZE

    @property
    def width(self) -> float:
        """About how wide it is drawn, in points; Chinese signs are square."""
        return self.size * sum(1.0 if sign > "\u2e80" else _WIDE for sign in self.text)


@dataclass(frozen=True)
class Box:
    """Something with words on it; `role` is its look: end, layer, block, operation, leaf, constant, result."""

    id: str
    lines: Sequence[TextLine]
    role: str

    @property
    def width(self) -> float:
        return max((line.width for line in self.lines), default=0.0) + 2 * _PADDING

    @property
    def height(self) -> float:
        return sum(1.35 * line.size for line in self.lines) + _PADDING


@dataclass(frozen=True)
class Link:
    """An arrow from one box to another; `role` is "plain", "forward" or "backward" (drawn against the flow)."""

    source: str
    target: str
    role: str = "plain"
    label: str = ""


@dataclass(frozen=True)
class Diagram:
    """A graph ready to be laid out: from the top down, or `sideways` from left to right."""

    title: str
    boxes: Sequence[Box]
    links: Sequence[Link]
    insets: Sequence["Diagram"] = ()  # drawn in frames beside it
    sideways: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Placed:
    """A box at its place: x, y are its upper left corner."""

    box: Box
    x: float
    y: float


@dataclass(frozen=True)
class Bezier:
    """A link as Bézier curves: its points are a start and then three for each piece; an arrow stands at the end."""

    points: Sequence[tuple[float, float]]
    role: str
    label: str = ""
    label_at: tuple[float, float] | None = None


@dataclass(frozen=True)
class Frame:
    """The frame of an inset."""

    title: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Scene:
    """A picture of a graph: all places in points, y downwards."""

    title: str
    width: float
    height: float
    boxes: Sequence[Placed] = field(default_factory=list[Placed])
    curves: Sequence[Bezier] = field(default_factory=list[Bezier])
    frames: Sequence[Frame] = field(default_factory=list[Frame])
    notes: Sequence[str] = ()
