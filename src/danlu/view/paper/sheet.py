"""The one door to matplotlib: an empty sheet in danlu's look, and what marks need besides."""

import contextlib
import functools
import io
import logging
import unicodedata
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from danlu.view.figures.names import short
from danlu.view.palette import LIGHT
from danlu.view.paper.fonts import DOTS_PER_INCH, chinese_font_file, has_chinese

KINDS = (".png", ".svg", ".pdf")
_COMPRESSION = 2  # of zlib: more takes three times as long, and makes a picture of lines and words hardly smaller
_FONT = "DejaVu Sans"  # it comes with matplotlib
_LOOK = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#8A8A8A",
    "axes.grid": True,
    "axes.labelcolor": LIGHT["ink"],
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.unicode_minus": False,
    "font.size": 9,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "svg.hashsalt": "danlu",  # the same picture is the same file
    "text.color": LIGHT["ink"],
    "text.usetex": False,  # whatever the user's own settings say: no program has to be installed
    "xtick.color": "#5A5A5A",
    "xtick.labelsize": 8,
    "ytick.color": "#5A5A5A",
    "ytick.labelsize": 8,
}


@contextlib.contextmanager
def look(texts: Iterable[str] = (), more: Mapping[str, Any] = MappingProxyType({})) -> Generator[None]:
    """A context in which matplotlib draws in danlu's look, with a font that has the signs of `texts`, where one is;
    `more` are settings of matplotlib's that are other than usual."""
    import matplotlib

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    chinese = chinese_font() if has_chinese(texts) else None
    # Beside Chinese signs all words are of their font, which often has no bold: one weight in a line, not two.
    settings: dict[Any, Any] = {**_LOOK, "font.family": [*([chinese] if chinese else []), _FONT], **more}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Where no font has the signs: an SVG keeps its words as words, for the viewer to draw.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def sheet(width: float, height: float, *, arranged: bool = True) -> Any:
    """An empty figure of so many inches; `arranged` by matplotlib, so that nothing on it overlaps, or by who draws."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained" if arranged else None)
    FigureCanvasAgg(figure)
    return figure


def file_bytes(figure: Any, kind: str) -> bytes:
    """The figure as a file of one of KINDS. The same figure gives the same bytes: no date is inside."""
    metadata = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[kind]
    file = io.BytesIO()
    more = {"pil_kwargs": {"compress_level": _COMPRESSION}} if kind == ".png" else {}
    figure.savefig(file, format=kind[1:], dpi=DOTS_PER_INCH, facecolor="white", metadata=metadata, **more)
    return file.getvalue()


@functools.cache
def chinese_font() -> str | None:
    """The family of a font with Chinese signs on this machine, as matplotlib knows it; None where there is none."""
    file = chinese_font_file()
    if file is None:
        return None
    from matplotlib import font_manager

    font_manager.fontManager.addfont(file)
    return str(font_manager.FontProperties(fname=file).get_name())


def writable(text: str) -> str:
    """The text with "?" for each sign that no font in force has (see `look`), and without what is never seen.

    >>> with look():
    ...     writable("café → \U00012000")
    'café → ?'
    """
    if text.isascii():
        return text
    import matplotlib

    fonts = [_loaded(family) for family in matplotlib.rcParams["font.family"]]
    seen = (sign for sign in text if unicodedata.category(sign) != "Cf" and not "\ufe00" <= sign <= "\ufe0f")
    return "".join(sign if any(font.get_char_index(ord(sign)) for font in fonts) else "?" for sign in seen)


@functools.cache
def _loaded(family: str) -> Any:
    from matplotlib import font_manager

    return font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=[family])))


def color_map(colors: Sequence[str], *, bare: bool = False) -> Any:
    """A colour map that runs through `colors`; what is missing is pale grey, or `bare`."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("danlu", list(colors)).with_extremes(
        bad="#FFFFFF00" if bare else "#EDEDED"
    )


def scale_of(low: float, high: float, *, log: bool) -> Any:
    """From numbers to shares of a colour map."""
    from matplotlib.colors import LogNorm, Normalize

    return (LogNorm if log else Normalize)(low, high)


def outline(points: Sequence[tuple[float, float]], codes: Sequence[str], **style: Any) -> Any:
    """A path through `points`: a code for each, "move", "line" or "curve" (three points, the last one reached)."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    numbers = {"move": Outline.MOVETO, "line": Outline.LINETO, "curve": Outline.CURVE4}
    return PathPatch(Outline(list(points), [numbers[code] for code in codes]), **style)


def box(x: float, y: float, width: float, height: float, rounding: float = 4, **style: Any) -> Any:
    """A box with round corners."""
    from matplotlib.patches import BoxStyle, FancyBboxPatch

    return FancyBboxPatch((x, y), width, height, boxstyle=BoxStyle("round", pad=0, rounding_size=rounding), **style)


def powers_of_ten() -> Any:
    """Tick labels of a logarithmic axis, as short as can be."""
    from matplotlib.ticker import LogFormatterSciNotation

    # Two decades hold two powers of ten; in less there may be one alone, which is no scale.
    return LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(2.0, 0.6))


def refine_ticks(axis: Any) -> None:
    """Ticks at equal distances on a logarithmic axis that is too short to hold two round numbers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    low, high = sorted(axis.get_view_interval())
    places = [*axis.get_majorticklocs(), *axis.get_minorticklocs()]
    if sum(low <= place <= high for place in places) >= 2:
        return
    axis.set_major_locator(MaxNLocator(4))

    def written(value: float, _: object) -> str:
        return short(value)

    axis.set_major_formatter(FuncFormatter(written))
    axis.set_minor_locator(NullLocator())


def title_weight(texts: Iterable[str]) -> str:
    """Of the titles in a picture with these texts: bold, but regular beside Chinese signs, of which fonts on a machine
    seldom have bold ones, so that the letters among them would stand out.

    >>> title_weight(["loss"]), title_weight(["loss", "损失"])
    ('bold', 'normal')
    """
    return "normal" if has_chinese(texts) else "bold"
