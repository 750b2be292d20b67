"""What a picture consists of, as plain frozen data: a chart has panels, a panel two axes and marks.

Paper (matplotlib) and page (the browser) draw the same chart, which is why they look alike. Colours are roles, see
`palette`; a None among numbers is a gap.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

Numbers = Sequence[float | None]


@dataclasses.dataclass(frozen=True)
class Line:
    """A curve through points; with a `label` it stands in the legend. `singles` are the curves, over the same places,
    of which it is the mean: a page shows them where one points at it."""

    xs: Numbers
    ys: Numbers
    color: str = "blue"
    label: str = ""
    width: float = 1.8
    dash: str = "solid"
    faint: bool = False
    stairs: bool = False
    singles: Sequence[Numbers] = ()


@dataclasses.dataclass(frozen=True)
class Points:
    """Single points; `texts` says what each of them is."""

    xs: Numbers
    ys: Numbers
    color: str = "blue"
    label: str = ""
    shape: str = "circle"
    size: float = 5.0
    texts: Sequence[str] = ()
    faint: bool = False


@dataclasses.dataclass(frozen=True)
class Whiskers:
    """Intervals along the x axis (or the y axis, where `upright`), each at its place on the other one. Thick ones, of a
    `width` in points, with a `label` are the pieces of a strip."""

    at: Numbers
    lows: Numbers
    highs: Numbers
    color: str = "ink"
    upright: bool = False
    label: str = ""
    width: float = 2.0


@dataclasses.dataclass(frozen=True)
class Band:
    """What lies between two curves, in the colour of the curve that it belongs to."""

    xs: Numbers
    lows: Numbers
    highs: Numbers
    color: str = "blue"


@dataclasses.dataclass(frozen=True)
class Bars:
    """Columns from 0 up."""

    xs: Numbers
    heights: Numbers
    width: float
    color: str = "blue"
    label: str = ""


@dataclasses.dataclass(frozen=True)
class Zone:
    """A shaded stretch of an axis."""

    low: float
    high: float
    color: str
    label: str = ""
    axis: str = "x"


@dataclasses.dataclass(frozen=True)
class GuideLine:
    """A straight line across the panel at one place of an axis."""

    at: float
    color: str = "grey"
    label: str = ""
    axis: str = "x"
    dash: str = "dash"
    text: str = ""  # said when one points at it


@dataclasses.dataclass(frozen=True)
class Cells:
    """A heat map: `values[row][column]`, columns at `xs`, rows at 0, 1, 2 … from the top; on an axis without words a
    column reaches half the way to its neighbours. `ramp` is "amount", "share" (from 0 to 1, pale), "mistake" (from 0
    on) or "difference" (from -x over 0 to x); with `log` the colours go by powers of ten; `texts` are written in the
    cells. What has no number is grey; where `bare` it is not painted, so that two can fill one panel. `samples` are
    what the rows are of: a page shows the one that is clicked; with `places`, the row and column of each, those of the
    cell. `names` are the rows' whole names, where the axis has short ones. `range` holds the
    numbers at both ends of the colours, where the values alone do not say them."""

    xs: Numbers
    values: Sequence[Numbers]
    label: str
    ramp: str = "amount"
    log: bool = False
    texts: Sequence[Sequence[str]] = ()
    bare: bool = False
    samples: "Sequence[Picture]" = ()
    places: Sequence[tuple[int, int]] = ()
    names: Sequence[str] = ()
    range: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Heatmap:
    """Heights over a grid, `values[row][column]` at (xs[column], ys[row]): filled colours with contour lines, or, where
    `solid`, a surface in space. `path`, `marked` and `saddles` are points (x, y, height)."""

    xs: Sequence[float]
    ys: Sequence[float]
    values: Sequence[Numbers]
    label: str
    log: bool = False
    contours: Sequence[tuple[float, Sequence[tuple[float | None, float | None]]]] = ()
    path: Sequence[tuple[float, float, float | None]] = ()
    marked: Sequence[tuple[float, float, float | None]] = ()
    path_label: str = ""
    marked_label: str = ""
    saddles: Sequence[tuple[float, float, float | None]] = ()
    saddles_label: str = ""
    solid: bool = False


@dataclasses.dataclass(frozen=True)
class Picture:
    """A small image (PNG, base64) with what to say under it."""

    png: str
    title: str
    lines: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Images side by side."""

    pictures: Sequence[Picture]


Mark = Line | Points | Whiskers | Band | Bars | Zone | GuideLine | Cells | Heatmap | Pictures


@dataclasses.dataclass(frozen=True)
class Axis:
    """An axis. `ticks` are places with words, where numbers would not do; `low` and `high` fix its ends, `least` and
    `most` are numbers beyond which there are none, and the axis does not reach further."""

    label: str = ""
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None


@dataclasses.dataclass(frozen=True)
class Panel:
    """Marks over two axes; `height` counts in the height of an ordinary panel."""

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    title: str = ""
    height: float = 1.0
    shares_x: str = ""  # panels with the same word here are read together
    square: bool = False


@dataclasses.dataclass(frozen=True)
class Chart:
    """A picture: its kind, what it shows, its panels from the top down, and notes to be read under it; `hint` is what a
    page says of a click."""

    kind: str
    title: str
    panels: Sequence[Panel]
    notes: Sequence[str] = ()
    hint: str = ""


def plain(value: Any) -> Any:
    """A chart (or a part of one) as JSON can hold it: each part with the name of its class as "type", fields at their
    defaults left out, numbers that are not finite as null.

    >>> plain(GuideLine(at=3.0))
    {'type': 'GuideLine', 'at': 3.0}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if getattr(value, field.name) != field.default
        }
        return {"type": type(value).__name__, **parts}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        if all(entry is None or type(entry) is int or (type(entry) is float and isfinite(entry)) for entry in value):
            return list(value)  # a curve has thousands of them
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
