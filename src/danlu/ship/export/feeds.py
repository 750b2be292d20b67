"""Raw samples as the arrays that an exported file takes, checked as a run checks them, without torch."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.data.decode import Shape, fit_picture, pictures_in
from danlu.data.far_outside import remarks
from danlu.data.series.windows import At, Windows, at_row, tables_of
from danlu.data.table.columns import Table
from danlu.data.table.fitted import CategoryColumn, NumberColumn, fitting, refuse_infinite
from danlu.data.table.frames import table_of
from danlu.data.table.outlying import table_remarks
from danlu.data.tokens import UNKNOWN, cut
from danlu.ship.answer_table import notes_of
from danlu.ship.export.interface import UNSEEN, Interface
from danlu.ship.export.several import several_arrays

Array = "numpy.ndarray[Any, Any]"


@dataclass(frozen=True)
class Feeds:
    """Arrays by the name of the input, `count` samples; `notes` say what is odd about a row, by its number, `remarks`
    what there is to tell of all of them.
    """

    arrays: Mapping[str, Any]
    count: int
    notes: Mapping[int, str] = field(default_factory=dict[int, str])
    remarks: tuple[Fault, ...] = ()

    def rows(self, rows: slice) -> "Feeds":
        """Some of the samples, a run of them, with what is odd about them."""
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        first, last, _ = rows.indices(self.count)
        notes = {row - first: note for row, note in self.notes.items() if first <= row < last}
        return Feeds(arrays, len(next(iter(arrays.values()))), notes)


def feeds_of(raw: Any, interface: Interface) -> Feeds:
    """Raw samples, as `run.predict` takes them, for a file with this interface. UserError for what it cannot take."""
    if interface.input == "table":
        return table_feeds(table_of(raw), interface)
    if interface.input == "series":
        return _together([series_feeds(table, interface).feeds for table in tables_of(raw)])
    if interface.input == "several":
        arrays = several_arrays(raw, interface)
        return Feeds(arrays, len(next(iter(arrays.values()))))
    if interface.input == "texts":
        return _tokens(raw, interface)
    samples = _pictures(raw, interface) if interface.input == "pictures" else _numbers(raw, interface)
    told = remarks(samples, interface.ranges) if interface.ranges and len(interface.sample_shape) == 1 else ()
    return Feeds({interface.inputs[0].name: samples}, len(samples), remarks=told)


@dataclass(frozen=True)
class SeriesFeeds:
    """What goes into the net of every window of a table, and the windows themselves."""

    feeds: Feeds
    windows: Windows


def series_feeds(table: Table, interface: Interface, at: At = at_row, place: str = "x") -> SeriesFeeds:
    """Every window of a table, [N, window] a column; a category of a window's last row that was not trained on is
    noted. `at` says where a row stands, `place` what the table is called.
    """
    windows = interface.windows.windows(table, at, place)
    rows = table_feeds(table, interface)
    arrays = {name: array[windows.rows] for name, array in rows.arrays.items()}
    ends: dict[int, int] = {row: number for number, row in enumerate(windows.rows[:, -1].tolist())}
    notes = {ends[row]: note for row, note in rows.notes.items() if row in ends}
    return SeriesFeeds(Feeds(arrays, len(windows), notes, rows.remarks), windows)


def _together(several: Sequence[Feeds]) -> Feeds:
    """The samples of all, one behind the other."""
    if len(several) == 1:
        return several[0]
    arrays = {name: numpy.concatenate([one.arrays[name] for one in several]) for name in several[0].arrays}
    firsts = itertools.accumulate((one.count for one in several[:-1]), initial=0)
    notes = {first + row: note for first, one in zip(firsts, several, strict=True) for row, note in one.notes.items()}
    remarks = {repr(remark): remark for one in several for remark in one.remarks}
    return Feeds(arrays, sum(one.count for one in several), notes, tuple(remarks.values()))


def table_feeds(table: Table, interface: Interface) -> Feeds:
    """Columns of cells for the inputs of their names; a category that was not trained on is noted."""
    faults, unseen = Faults(), list[tuple[int, Fault]]()
    arrays: dict[str, Any] = {}
    for given, column in zip(interface.inputs, interface.columns, strict=True):
        if column.name not in table:
            faults.add("data.encode-column", column=column.name, hint=nearest(column.name, table))
            continue
        cells = fitting(column, table[column.name], faults)
        refuse_infinite(column, cells, faults)
        if isinstance(column, NumberColumn):
            arrays[given.name] = cells.values + float(cells.offset - column.offset)
        else:
            arrays[given.name] = _categories(cells.values.tolist(), column, interface, unseen)
    faults.raise_if_any()
    count = len(next(iter(arrays.values())))
    return Feeds(arrays, count, notes_of(unseen), table_remarks(interface.columns, table))


def _categories(
    cells: Sequence[str | None], column: CategoryColumn, interface: Interface, unseen: list[tuple[int, Fault]]
) -> "numpy.ndarray[Any, Any]":
    mark, codes = interface.missing_mark(column), interface.codes(column)
    for row, cell in enumerate(cells):
        if cell is not None and cell not in column.values:
            unseen.append((row, Fault("data.unseen-category", {"column": column.name, "value": cell})))
    if interface.raw:
        return numpy.array([codes[mark if cell is None else cell] if cell is None or cell in column.values else UNSEEN
                            for cell in cells], dtype=numpy.int64)  # fmt: skip
    return numpy.array([mark if cell is None else cell for cell in cells], dtype=object)


def _array(raw: Any) -> "numpy.ndarray[Any, Any]":
    try:
        array = numpy.asarray(raw)
    except ValueError:
        fail("data.ragged-array")
    if array.dtype.kind not in "biuf":
        fail("data.not-numbers", found=array.dtype)
    return array


def _numbers(raw: Any, interface: Interface) -> "numpy.ndarray[Any, Any]":
    x, shape = _array(raw).astype(numpy.float64), interface.sample_shape
    if x.shape == shape:
        x = x[None]
    elif shape == (1,) and x.ndim == 1:
        x = x[:, None]
    if x.shape[1:] != shape:
        fail("data.encode-shape", found=list(x.shape), wanted=list(shape))
    wrong = ~numpy.isfinite(x).reshape(len(x), -1)
    if wrong.any():
        row, column = (int(place[0]) for place in numpy.nonzero(wrong))
        fail("data.not-finite", count=int(wrong.sum()), row=row + 1, column=column + 1)
    return x.astype(interface.inputs[0].dtype)


def _pictures(raw: Any, interface: Interface) -> "numpy.ndarray[Any, Any]":
    """Pictures [N, H, W], [N, C, H, W] or [N, H, W, C], or one of them, as the file takes them."""
    channels, height, width = interface.sample_shape
    white = interface.plain["encoder"].get("white")
    several = None if white is None else pictures_in(raw, interface.sample_shape)
    if several is not None:
        # Pictures out of files were brought to one size by Pillow, before danlu's own resizing and outside of the net.
        shape = Shape(channels, height, width, white or 255.0, interface.plain["encoder"].get("whole") is True)
        raw = numpy.stack([fit_picture(picture, shape) for picture in several])
    array = _array(raw)
    wanted = (channels, height, width)
    sizes = [wanted] + ([tuple(interface.plain["encoder"]["came_as"])] if interface.resizes else [])
    for shape in sizes:
        arranged = _arranged(array, shape)
        if arranged is not None:
            break
    else:
        fail("data.encode-shape", found=list(array.shape), wanted=list(sizes[-1]))
    if not numpy.isfinite(arranged).all():
        fail("export.not-pixels")
    if interface.inputs[0].dtype != "uint8":
        arranged = arranged.astype(numpy.float32)
    elif arranged.dtype != numpy.uint8:
        whole = arranged.astype(numpy.float64)
        if not ((whole == numpy.floor(whole)) & (whole >= 0) & (whole <= 255)).all():
            fail("export.not-bytes", low=f"{whole.min():.4g}", high=f"{whole.max():.4g}")
        arranged = arranged.astype(numpy.uint8)
    return numpy.ascontiguousarray(arranged)


def _arranged(array: "numpy.ndarray[Any, Any]", shape: tuple[int, ...]) -> "numpy.ndarray[Any, Any] | None":
    """Pictures of `shape` (C, H, W), in whatever order they come, as [N, H, W] or [N, H, W, C]; None for others. The
    order of cases is that of `danlu.data.standard`.
    """
    channels, height, width = shape
    last = (height, width, channels)
    if array.shape in (shape, last, (height, width)):
        array = array[None]
    if channels == 1:
        count = len(array) if array.ndim else 0
        fits = array.shape[1:] in ((height, width), shape, last)
        return array.reshape(count, height, width) if fits else None
    if array.shape[1:] == last != shape:
        return array
    return array.transpose(0, 2, 3, 1) if array.shape[1:] == shape else None


def _tokens(raw: Any, interface: Interface) -> Feeds:
    cuts = tokens_of(raw, interface)
    words = interface.plain["vocabulary"]
    rows: Sequence[Sequence[Any]] = cuts
    if not interface.takes_tokens:
        numbers = {token: number for number, token in enumerate(words["tokens"])}
        unknown = numbers[UNKNOWN]
        rows = [[numbers.get(token, unknown) for token in tokens] for tokens in cuts]
    length = max([interface.plain["encoder"]["length"], *map(len, rows)])
    padded = numpy.full((len(rows), length), interface.padding, dtype=interface.inputs[0].dtype)
    for row, tokens in enumerate(rows):
        padded[row, : len(tokens)] = tokens
    return Feeds({interface.inputs[0].name: padded}, len(rows))


def tokens_of(raw: Any, interface: Interface) -> list[list[str]]:
    """The tokens of one text or several, or of lists of tokens. UserError for what is neither."""
    texts: list[Any] = [raw] if isinstance(raw, str) else list(raw)
    if not texts:
        fail("data.no-samples")
    if all(isinstance(text, list | tuple) for text in texts):
        return [[str(token) for token in text] for text in texts]
    odd = next((text for text in texts if not isinstance(text, str)), None)
    if odd is not None:
        fail("data.not-texts", found=type(odd).__name__)
    words = interface.plain["vocabulary"]
    return [cut(text, interface.cut_into, spaced=words["spaced"]) for text in texts]
