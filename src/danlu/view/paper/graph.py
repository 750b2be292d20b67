"""A scene on paper, in the look of its SVG."""

from typing import Any

from danlu.view.graphs.look import BORDER, DASHED, FILL, FRAME, STROKE, TEXT, arrow_head
from danlu.view.graphs.scene import LINE_SIZE, TITLE_SIZE, Bezier, Placed, Scene
from danlu.view.paper.sheet import box, file_bytes, look, outline, sheet, title_weight

_POINTS = 72.0


def draw_scene(scene: Scene, kind: str) -> bytes:
    """The scene as a file: `kind` is ".png" or ".pdf"; SVG is better written by `to_svg`."""
    texts = [scene.title, *scene.notes, *(line.text for placed in scene.boxes for line in placed.box.lines)]
    texts += [frame.title for frame in scene.frames]
    weight = title_weight(texts)
    with look(texts):
        figure = sheet(scene.width / _POINTS, scene.height / _POINTS, arranged=False)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, scene.width)
        axes.set_ylim(scene.height, 0)
        _text(axes, 12, 19, scene.title, TITLE_SIZE + 1.5, TEXT["title"], weight=weight)
        for frame in scene.frames:
            style: dict[str, Any] = {
                "facecolor": "#FAFAFA",
                "edgecolor": FRAME,
                "linestyle": (0, (3, 3)),
                "linewidth": 0.8,
            }
            axes.add_patch(box(frame.x, frame.y, frame.width, frame.height, **style))
            _text(axes, frame.x + 10, frame.y + 17, frame.title, TITLE_SIZE - 0.5, TEXT["faint"], weight=weight)
        for curve in scene.curves:
            _draw_curve(axes, curve)
        for placed in scene.boxes:
            _draw_box(axes, placed, weight)
        for at, note in enumerate(scene.notes):
            y = scene.height - 14 * (len(scene.notes) - at) + 6
            _text(axes, 12, y, note, LINE_SIZE, TEXT["faint"])
        return file_bytes(figure, kind)


def _draw_curve(axes: Any, curve: Bezier) -> None:
    color = STROKE[curve.role]
    codes = ["move"] + ["curve"] * (len(curve.points) - 1)
    line = (0, (5, 3)) if curve.role in DASHED else "-"
    axes.add_patch(outline(curve.points, codes, facecolor="none", edgecolor=color, linewidth=1.1, linestyle=line))
    corners = arrow_head(curve.points)
    axes.add_patch(outline([*corners, corners[0]], ["move", "line", "line", "line"], facecolor=color, linewidth=0))
    if curve.label and curve.label_at:
        x, y = curve.label_at
        style = curve.role if curve.role in TEXT else "faint"
        _text(axes, x, y + 3, curve.label, LINE_SIZE, TEXT[style], middle=True)


def _draw_box(axes: Any, placed: Placed, weight: str) -> None:
    drawn = placed.box
    line = (0, (4, 3)) if drawn.role == "constant" else "-"
    style: dict[str, Any] = {
        "facecolor": FILL[drawn.role],
        "edgecolor": BORDER[drawn.role],
        "linewidth": 1.0,
        "linestyle": line,
    }
    axes.add_patch(box(placed.x, placed.y, drawn.width, drawn.height, **style))
    y = placed.y + 4.0
    for text in drawn.lines:
        y += 1.35 * text.size
        own = weight if text.style == "title" else "normal"
        place = placed.x + drawn.width / 2, y - 2.5
        _text(axes, *place, text.text, text.size, TEXT[text.style], weight=own, middle=True)


def _text(
    axes: Any, x: float, y: float, text: str, size: float, color: str, *, weight: str = "normal", middle: bool = False
) -> None:
    # DejaVu Sans is wider than the fonts that browsers take.
    plain = text.replace("$", r"\$")
    axes.text(x, y, plain, fontsize=size * 0.88, color=color, fontweight=weight, ha="center" if middle else "left")
