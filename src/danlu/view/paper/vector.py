"""A page as PDF or SVG, drawn by matplotlib."""

from typing import Any

from danlu.view.paper.marks import Bitmap, Dots, Mark, Page, Rectangle, Region, Stroke, Words
from danlu.view.paper.shapes import corners
from danlu.view.paper.sheet import box, file_bytes, look, outline, sheet


def vector_of(page: Page, kind: str) -> bytes:
    """The page as a file: `kind` is ".svg" or ".pdf"."""
    with look([mark.text for mark in page.all_marks if isinstance(mark, Words)]):
        figure = sheet(page.width, page.height, arranged=False)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, page.width)
        axes.set_ylim(page.height, 0)
        for level, mark in enumerate(page.all_marks):
            _draw(axes, mark, level)
        return file_bytes(figure, kind)


def _draw(axes: Any, mark: Mark, level: int) -> None:
    match mark:
        case Words():
            look = {"ha": mark.align, "rotation": 90 if mark.upright else 0, "rotation_mode": "anchor"}
            weight = "bold" if mark.bold else "normal"
            axes.text(
                mark.x, mark.y, mark.text, va="baseline", parse_math=False, fontsize=mark.size, color=mark.color,
                fontweight=weight, zorder=level, **look,
            )  # fmt: skip
        case Rectangle():
            left, top, right, bottom = mark.region
            edge = {"edgecolor": mark.edge, "linewidth": mark.width} if mark.edge else {"linewidth": 0}
            look = {"facecolor": mark.face, "alpha": mark.alpha, **edge}
            axes.add_patch(box(left, top, right - left, bottom - top, mark.rounding, zorder=level, **look))
        case Stroke():
            points = [place for piece in mark.pieces for place in piece]
            codes = [("line" if at else "move") for piece in mark.pieces for at in range(len(piece))]
            if points:
                dash = (0, mark.dash) if mark.dash else "-"
                look = {"edgecolor": mark.color, "linewidth": mark.width, "linestyle": dash, "alpha": mark.alpha}
                _clipped(axes, axes.add_patch(outline(points, codes, fill=False, zorder=level, **look)), mark.within)
        case Dots():
            shape = [(x, -y) for x, y in (*corners(mark.shape), corners(mark.shape)[0])]
            look = {"markerfacecolor": mark.face or "none", "markeredgecolor": mark.edge, "alpha": mark.alpha}
            xs, ys = [x for x, _ in mark.places], [y for _, y in mark.places]
            size = mark.size * (2**0.5 if mark.shape == "diamond" else 1)
            drawn = axes.plot(
                xs,
                ys,
                linestyle="none",
                marker=shape,
                markersize=size,
                markeredgewidth=mark.width,
                zorder=level,
                **look,
            )
            _clipped(axes, drawn[0], mark.within)
        case Bitmap():
            left, top, right, bottom = mark.region
            extent = (left, right, bottom, top)
            axes.imshow(mark.image, extent=extent, interpolation="nearest", aspect="auto", zorder=level)


def _clipped(axes: Any, artist: Any, within: Region | None) -> None:
    if within is None:
        artist.set_clip_on(False)
    else:
        left, top, right, bottom = within
        frame = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        artist.set_clip_path(outline(frame, ["move", *["line"] * 4]).get_path(), axes.transData)
