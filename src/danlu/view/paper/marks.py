"""What stands on a sheet, as plain data: places in inches from its upper left corner, y downwards, sizes in points."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[float, float]
Region = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Words:
    """A line of words on its base line; `align` is "left", "center" or "right", and upright ones go from there up."""

    x: float
    y: float
    text: str
    size: float
    color: str
    bold: bool = False
    align: str = "left"
    upright: bool = False


@dataclass(frozen=True)
class Rectangle:
    """A rectangle, its corners round; `edge` is empty where it has none."""

    region: Region
    face: str
    edge: str = ""
    width: float = 0.5
    rounding: float = 0.0
    alpha: float = 1.0


@dataclass(frozen=True)
class Stroke:
    """Lines through points, one a piece; what lies outside of `within` is not seen. `dash` is on, off, on … in widths
    of the line."""

    pieces: Sequence[Sequence[Place]]
    color: str
    width: float
    dash: tuple[float, ...] = ()
    alpha: float = 1.0
    within: Region | None = None


@dataclass(frozen=True)
class Dots:
    """The same small shape at many places; `face` is empty for a ring."""

    places: Sequence[Place]
    shape: str
    size: float
    face: str
    edge: str
    width: float
    alpha: float = 1.0
    within: Region | None = None


@dataclass(frozen=True)
class Bitmap:
    """A small image of Pillow's, RGB or RGBA, drawn large."""

    region: Region
    image: Any


Mark = Words | Rectangle | Stroke | Dots | Bitmap


@dataclass
class Page:
    """A sheet of so many inches: what stands on it, and over that the panels."""

    width: float
    height: float
    marks: list[Mark] = field(default_factory=list)
    panels: list[list[Mark]] = field(default_factory=list)

    @property
    def all_marks(self) -> list[Mark]:
        """Those on the sheet first."""
        return [*self.marks, *(mark for panel in self.panels for mark in panel)]
