"""Words on a sheet measured in inches from its upper left corner: single lines, and paragraphs folded to fit."""

import re
from typing import Any

from danlu.base.printable import printable
from danlu.view.palette import LIGHT
from danlu.view.paper.sheet import DOTS_PER_INCH, sheet, text_width, writable

_POINTS = 72.0
_LINE = 1.38  # the height of a line, in sizes
_ELLIPSIS = "…"
# A word with the space behind it; Chinese signs stand each for itself, but no stop begins a line.
_PIECES = re.compile(r"[\u2e80-\uffef][，。；：、！？）」』…]*|[^\s\u2e80-\uffef]+\s*|\s+")


class Lettered:
    """A sheet of so many inches to be written on; `axes` lies over all of it, its places in inches, y downwards."""

    def __init__(self, width: float, height: float) -> None:
        self.figure: Any = sheet(width, height, arranged=False)
        self.figure.set_dpi(DOTS_PER_INCH)
        self.width, self.height = width, height
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(height, 0)
        self._widths: dict[tuple[str, float, bool], float] = {}

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 8,
        *,
        color: str = "",
        bold: bool = False,
        align: str = "left",
    ) -> None:
        """A line whose upper edge is at y."""
        look = {"fontsize": size, "color": color or LIGHT["ink"], "fontweight": "bold" if bold else "normal"}
        base = y + 1.08 * size / _POINTS
        self.axes.text(x, base, shown(text), ha=align, va="baseline", parse_math=False, **look)

    def fitted(self, text: str, width: float, size: float = 8, *, bold: bool = False) -> str:
        """As much of a line as has room in `width`, with an ellipsis where it is cut."""
        return self.folded(text, width, size, 1, bold=bold)[0]

    def folded(self, text: str, width: float, size: float, most: int, *, bold: bool = False) -> list[str]:
        """The text as at most so many lines of `width`; what has no room is an ellipsis. A word that is longer than a
        line is broken."""
        pieces = [part for piece in _PIECES.findall(shown(text)) for part in self._broken(piece, width, size, bold)]
        lines: list[str] = [""]
        for place, piece in enumerate(pieces):
            if self._wide((lines[-1] + piece).rstrip(), size, bold) <= width:
                lines[-1] += piece
            elif len(lines) < most:
                lines.append(piece.lstrip())
            else:
                lines[-1] = self._cut(lines[-1] + "".join(pieces[place : place + 40]), width, size, bold)
                break
        return [line.rstrip() for line in lines]

    def paragraph(
        self, x: float, y: float, text: str, width: float, size: float = 8, most: int = 3, *, color: str = ""
    ) -> float:
        """Folded lines from y down; where the next one would begin."""
        for line in self.folded(text, width, size, most):
            self.write(x, y, line, size, color=color)
            y += line_height(size)
        return y

    def _broken(self, piece: str, width: float, size: float, bold: bool) -> list[str]:
        if self._wide(piece.rstrip(), size, bold) <= width:
            return [piece]
        return list(piece)

    def _cut(self, line: str, width: float, size: float, bold: bool) -> str:
        """The longest beginning of a line that has room together with an ellipsis."""
        fits, over = 0, len(line)
        while fits < over:
            middle = (fits + over + 1) // 2
            if self._wide(line[:middle].rstrip() + _ELLIPSIS, size, bold) <= width:
                fits = middle
            else:
                over = middle - 1
        return line[:fits].rstrip() + _ELLIPSIS

    def _wide(self, text: str, size: float, bold: bool) -> float:
        """The sum over its signs, each measured once: signs that stand closer to each other only make it less."""
        return sum(self._sign(sign, size, bold) for sign in text)

    def _sign(self, sign: str, size: float, bold: bool) -> float:
        key = (sign, size, bold)
        if key not in self._widths:
            # Between two others, for a space alone has no width; of this size, for each is as wide as whole pixels.
            self._widths[key] = self._measured(f"|{sign}|", size, bold) - self._bars(size, bold)
        return self._widths[key]

    def _bars(self, size: float, bold: bool) -> float:
        key = ("||", size, bold)
        if key not in self._widths:
            self._widths[key] = self._measured("||", size, bold)
        return self._widths[key]

    def _measured(self, text: str, size: float, bold: bool) -> float:
        return text_width(self.figure, text, size, bold=bold)


def line_height(size: float) -> float:
    """Of a line in inches."""
    return _LINE * size / _POINTS


def shown(text: str) -> str:
    """Words as one line of signs that the fonts in force have."""
    return writable(printable(" ".join(text.split())))
