"""A scene as SVG: words stay words, so that they can be searched and read aloud."""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from danlu.view.graphs.look import BORDER, DASHED, FILL, FRAME, STROKE, TEXT, arrow_head
from danlu.view.graphs.scene import LINE_SIZE, TITLE_SIZE, Bezier, Frame, Placed, Scene

_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\ud800-\udfff\ufffe\uffff]")
_FONT = "font-family=\"system-ui, 'Segoe UI', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif\""


def to_svg(scene: Scene) -> str:
    """The scene as an SVG document, without scripts and styles of its own.

    >>> to_svg(Scene("a < b", 10.0, 10.0)).startswith("<svg")
    True
    """
    return "\n".join(_elements(scene)) + "\n"


def _elements(scene: Scene) -> Iterator[str]:
    width, height = f"{scene.width:.0f}", f"{scene.height:.0f}"
    title = quoteattr(printable(scene.title))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'{_FONT} role="img" aria-label={title}>'
    )
    yield f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>'
    yield _text(12, 19, scene.title, TITLE_SIZE + 1.5, TEXT["title"], bold=True)
    yield from (part for frame in scene.frames for part in _frame(frame))
    yield from (part for curve in scene.curves for part in _curve(curve))
    yield from (part for placed in scene.boxes for part in _box(placed))
    yield from (part for curve in scene.curves for part in _label(curve))
    for at, note in enumerate(scene.notes):
        yield _text(12, scene.height - 14 * (len(scene.notes) - at) + 6, note, LINE_SIZE, TEXT["faint"])
    yield "</svg>"


def _box(placed: Placed) -> Iterator[str]:
    box = placed.box
    radius = 12 if box.role == "end" else 4
    dash = ' stroke-dasharray="4 3"' if box.role == "constant" else ""
    yield (
        f'<rect x="{placed.x:.1f}" y="{placed.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}" '
        f'fill="{FILL[box.role]}" stroke="{BORDER[box.role]}"{dash}/>'
    )
    y = placed.y + 4.0
    for line in box.lines:
        y += 1.35 * line.size
        bold = line.style == "title"
        yield _text(placed.x + box.width / 2, y - 2.5, line.text, line.size, TEXT[line.style], bold=bold, middle=True)


def _curve(curve: Bezier) -> Iterator[str]:
    (x, y), *rest = curve.points
    pieces = " ".join(f"{px:.1f},{py:.1f}" for px, py in rest)
    color = STROKE[curve.role]
    dash = ' stroke-dasharray="5 3"' if curve.role in DASHED else ""
    yield f'<path d="M{x:.1f},{y:.1f} C{pieces}" fill="none" stroke="{color}" stroke-width="1.2"{dash}/>'
    corners = " ".join(f"{px:.1f},{py:.1f}" for px, py in arrow_head(curve.points))
    yield f'<polygon points="{corners}" fill="{color}"/>'


def _label(curve: Bezier) -> Iterator[str]:
    if curve.label and curve.label_at:
        x, y = curve.label_at
        style = curve.role if curve.role in TEXT else "faint"
        yield _text(x, y + 3, curve.label, LINE_SIZE, TEXT[style], middle=True)


def _frame(frame: Frame) -> Iterator[str]:
    yield (
        f'<rect x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}" rx="6" '
        f'fill="#FAFAFA" stroke="{FRAME}" stroke-dasharray="3 3"/>'
    )
    yield _text(frame.x + 10, frame.y + 17, frame.title, TITLE_SIZE - 0.5, TEXT["faint"], bold=True)


def _text(x: float, y: float, text: str, size: float, color: str, *, bold: bool = False, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    weight = ' font-weight="600"' if bold else ""
    words = escape(printable(text))
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{color}"{weight}{anchor}>{words}</text>'


def printable(text: str) -> str:
    """The text without the signs that no XML may hold, control characters for example.

    >>> printable("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    return _UNPRINTABLE.sub("\ufffd", text)
