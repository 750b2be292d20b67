"""Words on a sheet measured in inches from its upper left corner: single lines, and paragraphs folded to fit."""

import functools
import re

from danlu.base.printable import printable
from danlu.view.palette import LIGHT
from danlu.view.paper.fonts import Fonts
from danlu.view.paper.marks import Mark, Page, Words

_POINTS = 72.0
_LINE = 1.38  # the height of a line, in sizes
_ASCENT = 1.08  # from its upper edge to its base line
_ELLIPSIS = "…"
# A word with the space behind it; Chinese signs stand each for itself, but no stop begins a line.
_PIECES = re.compile(r"[\u2e80-\uffef][，。；：、！？）」』…]*|[^\s\u2e80-\uffef]+\s*|\s+")


class Lettered:
    """A page to be written on, in these fonts."""

    def __init__(self, width: float, height: float, fonts: Fonts) -> None:
        self.page = Page(width, height)
        self.fonts = fonts
        self._sign = functools.cache(self._measured)

    def add(self, *marks: Mark) -> None:
        """Put marks on the sheet."""
        self.page.marks.extend(marks)

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
        base = y + _ASCENT * size / _POINTS
        self.add(Words(x, base, self.shown(text), size, color or LIGHT["ink"], bold, align))

    def shown(self, text: str) -> str:
        """Words as one line of signs that the fonts have."""
        return self.fonts.writable(printable(" ".join(text.split())))

    def fitted(self, text: str, width: float, size: float = 8, *, bold: bool = False) -> str:
        """As much of a line as has room in `width`, with an ellipsis where it is cut."""
        return self.folded(text, width, size, 1, bold=bold)[0]

    def folded(self, text: str, width: float, size: float, most: int, *, bold: bool = False) -> list[str]:
        """The text as at most so many lines of `width`; what has no room is an ellipsis. A word that is longer than a
        line is broken."""
        text = self.shown(text)
        if self.wide(text, size, bold=bold) <= width:
            return [text]
        pieces = [part for piece in _PIECES.findall(text) for part in self._broken(piece, width, size, bold)]
        lines: list[str] = [""]
        for place, piece in enumerate(pieces):
            if self.wide((lines[-1] + piece).rstrip(), size, bold=bold) <= width:
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

    def wide(self, text: str, size: float, *, bold: bool = False) -> float:
        """The sum over its signs, each measured once: signs that stand closer to each other only make it less."""
        return sum(self._sign(sign, size, bold) for sign in text)

    def _broken(self, piece: str, width: float, size: float, bold: bool) -> list[str]:
        if self.wide(piece.rstrip(), size, bold=bold) <= width:
            return [piece]
        return list(piece)

    def _cut(self, line: str, width: float, size: float, bold: bool) -> str:
        """The longest beginning of a line that has room together with an ellipsis."""
        fits, over = 0, len(line)
        while fits < over:
            middle = (fits + over + 1) // 2
            if self.wide(line[:middle].rstrip() + _ELLIPSIS, size, bold=bold) <= width:
                fits = middle
            else:
                over = middle - 1
        return line[:fits].rstrip() + _ELLIPSIS

    def _measured(self, sign: str, size: float, bold: bool) -> float:
        return self.fonts.width(sign, size, bold=bold)


def line_height(size: float) -> float:
    """Of a line in inches."""
    return _LINE * size / _POINTS
