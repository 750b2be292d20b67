"""Small images side by side on paper."""

import base64
import io
from typing import Any

from danlu.view.figures.chart import Pictures

_COLUMNS = 8
_ROW = 1.45  # height of a row, its words included, in widths of a column


def draw_pictures(axes: Any, mark: Pictures) -> None:
    """Each picture in a square of its own, what is said of it beneath."""
    axes.set_axis_off()
    columns = _COLUMNS
    rows = -(-len(mark.pictures) // columns)
    for at, picture in enumerate(mark.pictures):
        row, column = divmod(at, columns)
        if picture.png:
            pixels = pixels_of(picture.png)
            width, height = (0.84 * size / max(pixels.size) for size in pixels.size)
            left, top = column + (1 - width) / 2, _ROW * row + 0.84 - height
            axes.imshow(pixels, extent=(left, left + width, top + height, top), interpolation="nearest")
        text = "\n".join((picture.title, *picture.lines))
        axes.text(column + 0.5, _ROW * row + 0.9, text, ha="center", va="top", fontsize=7, linespacing=1.3)
    axes.set_xlim(0, columns)
    axes.set_ylim(_ROW * rows, 0)


def pixels_of(png: str) -> Any:
    """The image that a PNG in base64 holds."""
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(png)), formats=["PNG"]) as opened:
        return opened.convert("RGB")
