"""A table in the order of its time column into windows: what was, and the target's next values."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy
import torch

from danlu.base.errors import Fault, fail
from danlu.base.naming import listed
from danlu.data.dataset import Origin, checksum
from danlu.data.options import SERIES, Options, refuse_unfit
from danlu.data.parts import PARTS
from danlu.data.series.clock import Clock
from danlu.data.series.dataset import SeriesDataset, quantities, targets_named
from danlu.data.series.encoder import WindowEncoder
from danlu.data.series.naive import Values, filled, naive_error, season_of, seasonal_forecast
from danlu.data.series.order import Stretch, in_order, refuse_repeated, stretches_of, window_rows
from danlu.data.series.parts import Cut, PartBegins, cut_by_time
from danlu.data.series.time import time_column
from danlu.data.series.windows import Laid, named, refuse_no_time, series_in, steps_of
from danlu.data.table.columns import Column, Table
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fit import fit_columns, fit_number
from danlu.data.table.load import checksum_of, named_keys, refuse_infinite, refuse_too_large
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, refuse_odd, target_names

Array = numpy.ndarray[Any, Any]

_UNLIKE = 10.0  # times the spread of another series
_MOST_NAMED = 5


@dataclass(frozen=True)
class _Read:
    """A table as series: the columns that have a meaning, and what is told of it."""

    target: str
    time: str | None
    group: str | None
    laid: Laid
    clock: Clock
    notes: tuple[Fault, ...]


def series_dataset(
    name: str, source: TableSource, target: Columns | None, options: Options, *, origin: Origin | None = None
) -> SeriesDataset:
    """A data set of the windows of `source`: `options.window` rows that follow each other, all their columns of numbers
    and categories, and the next `options.horizon` values of the target.

    Rows are put in the order of the time column, the only one of dates where none is named, and where steps are missing
    no window goes across. A group column tells several series apart. The parts are cut by time: windows whose first
    target lies behind the cut are validated on, then tested on, and a window that would be in two parts is in none.
    All that is measured is measured on the rows of the training part alone. UserError with what is wrong.
    """
    refuse_unfit(options, name, SERIES, ("auto", "regression"))
    window, horizon = options.window or 1, options.horizon or 1
    read = _read(source, target, options)
    rows, series = window_rows(read.laid.stretches, window, horizon)
    if not len(rows):
        longest = max(len(stretch.rows) for stretch in read.laid.stretches)
        fail("data.series-too-short", place=source.place, window=window, horizon=horizon, longest=longest)
    ahead = read.laid.times[rows[:, window:]]
    cut = cut_by_time(ahead[:, 0], ahead[:, -1], options, _given(source, read.laid), source.place)
    return _made(name, source, read, options, cut, (rows, series), origin)


def _made(
    name: str,
    source: TableSource,
    read: _Read,
    options: Options,
    cut: Cut,
    windows: tuple[Array, Array],
    origin: Origin | None,
) -> SeriesDataset:
    """The data set of `windows`, each window's rows [N, window + horizon] and series [N], cut into parts."""
    window, (rows, series) = options.window or 1, windows
    horizon = rows.shape[1] - window
    trained = read.laid.times < cut.trained
    encoder, decided = _fitted(source, read, numpy.flatnonzero(trained), options)
    encoded = encoder.encoder.encode_table(_with_names(source.table, read.group))
    refuse_too_large(encoded, encoder.encoder, source)
    values = _numbers(source.table[read.target])
    season, naive, told = _naive(read, values, trained, options)
    order = torch.cat([cut.rows[part] for part in PARTS]).numpy()
    chosen, own = rows[order], series[order]
    ends = _places(read.laid.stretches, len(values))[chosen[:, window - 1]]
    back = seasonal_forecast(Values(read.laid.stretches, values), own, ends, horizon, season)
    mean, scale = encoder.own.mean + encoder.own.offset, encoder.own.scale
    columns = {other: checksum_of(column) for other, column in source.table.items()}
    standardise = options.standardise is not False
    content = (int(standardise), window, horizon, *checksum(torch.from_numpy(chosen)), *columns.values())
    names = targets_named(read.target, horizon)
    return SeriesDataset(
        name=name,
        sample_shape=(window, encoded.shape[1]),
        sizes={part: len(cut.rows[part]) for part in PARTS},
        target=quantities(values[trained], mean, scale, horizon, names=names, naive=naive),
        encoder=encoder,
        notes=(*source.notes, *read.notes, *_of_cut(cut, read, series, options), *told, *decided),
        origin=origin or Origin(),
        x=encoded[torch.from_numpy(chosen[:, :window])],
        y=torch.from_numpy((values[chosen[:, window:]] - mean) / scale),
        content=content,
        numbers=torch.from_numpy(chosen[:, window - 1]),
        lines=None if source.lines is None else torch.from_numpy(source.lines[chosen[:, window]]),
        columns=columns,
        season=season,
        past=torch.from_numpy(values[chosen[:, window - 1]]),
        seasonal=torch.from_numpy(back),
        times=torch.from_numpy(read.laid.times[chosen[:, window:]]),
        series=torch.from_numpy(own),
        series_names=read.laid.names,
    )


def _read(source: TableSource, target: Columns | None, options: Options) -> _Read:
    names, said = target_names(source.table, target, source.place)
    own: str = names[0]
    if len(names) > 1:
        fail("data.series-one-target", place=source.place, columns=", ".join(names))
    options, by_number = named_keys(options, list(source.table))
    group = _group(source, options.group)
    time, found = time_column(source, options.time, (own, group))
    for key, column in (("data.time", time), ("data.group", group)):
        if column == own:
            fail("data.series-key-is-target", place=source.place, key=key, column=column)
    column = source.table[own]
    refuse_odd(column, own, source)
    if column.kind in ("text", "other", "date"):
        fail("data.targets-not-numbers", place=source.column(own))
    if column.missing.any():
        told = {"count": int(column.missing.sum()), "at": source.at(int(column.missing.argmax()))}
        fail("data.series-target-missing", place=source.place, column=own, **told)
    refuse_infinite(source.table, source)
    laid, clock, notes = _laid(source, time, group)
    return _Read(own, time, group, laid, clock, (*said, *by_number, *column.remarks, *found, *notes))


def _group(source: TableSource, given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        fail("data.series-key-array", key="data.group")
    if given not in source.table:
        fail("data.no-such-key", option="group", column=given, columns=", ".join(source.table))
    return given


def _laid(source: TableSource, time: str | None, group: str | None) -> tuple[Laid, Clock, tuple[Fault, ...]]:
    """The rows as series, what their times go by, and what there is to tell of them."""
    count = len(next(iter(source.table.values())).values)
    names: tuple[str, ...] = ()
    series = numpy.zeros(count, numpy.int64)
    if group is not None:
        names, series = series_in(source.table[group], group, source.at, source.place)
    dated = time is not None and source.table[time].kind == "date"
    times = steps_of(series)
    if time is not None:
        times = source.table[time].values
        refuse_no_time(times, time, source.at, source.place)
    ordered = in_order(times, series)
    refuse_repeated(ordered, times, Clock(dated=dated), names, source.at, source.place)
    clock = Clock.of([times[rows] for rows in ordered], dated=dated)
    laid = Laid(names, series, times, stretches_of(ordered, times, clock))
    return laid, clock, _of_order(ordered, laid, clock)


def _of_order(ordered: list[Array], laid: Laid, clock: Clock) -> tuple[Fault, ...]:
    notes: list[Fault] = []
    if any((numpy.diff(rows) < 0).any() for rows in ordered):
        notes.append(Fault("data.series-sorted"))
    if not clock.step and len(laid.times) > len(ordered):
        notes.append(Fault("data.series-uneven"))
    ends = [(a, b) for a, b in pairwise(laid.stretches) if a.series == b.series]
    if ends:
        before, after = (clock.shown(float(laid.times[row])) for row in (ends[0][0].rows[-1], ends[0][1].rows[0]))
        notes.append(Fault("data.series-gaps", {"count": len(ends), "before": before, "after": after}))
    return tuple(notes)


def _given(source: TableSource, laid: Laid) -> PartBegins:
    """The times at which parts begin that came as tables of their own. UserError where they overlap."""
    if len(source.parts) < 2:
        return PartBegins()
    counts = [source.parts.get(part, 0) for part in PARTS]
    times: dict[str, Array] = dict(zip(PARTS, numpy.split(laid.times, numpy.cumsum(counts)[:-1]), strict=True))
    there = [part for part in PARTS if len(times[part])]
    for before, after in pairwise(there):
        if times[before].max() >= times[after].min():
            fail("data.series-parts-overlap", before=before, after=after)
    begins = {part: float(times[part].min()) for part in there[1:]}
    return PartBegins(begins.get("validation"), begins.get("test"))


def _with_names(table: Table, group: str | None) -> Table:
    return table if group is None else {**table, group: named(table[group])}


def _numbers(column: Column) -> Array:
    return column.values + float(column.offset)


def _fitted(
    source: TableSource, read: _Read, trained: Array, options: Options
) -> tuple[WindowEncoder, tuple[Fault, ...]]:
    """The encoder by the training rows, and the notes; the target's own past is its first column."""
    standardise = options.standardise is not False
    column = source.table[read.target]
    if len(numpy.unique(column.values[trained])) < 2:
        fail("data.target-constant", place=source.column(read.target), value=f"{column.values[trained][0]:g}")
    own, _ = fit_number(read.target, column, trained, standardise)
    features = {
        name: values
        for name, values in _with_names(source.table, read.group).items()
        if name not in (read.target, read.time) and name not in source.no_features
    }
    others, decided = fit_columns(features, trained, standardise)
    time = None if read.time is None else fit_number(read.time, source.table[read.time], trained, standardise=False)[0]
    window, horizon = options.window or 1, options.horizon or 1
    encoder = TableEncoder((own, *others))
    return WindowEncoder(encoder, window, horizon, read.target, time, read.group, read.clock), decided


def _naive(read: _Read, values: Array, trained: Array, options: Options) -> tuple[int, float | None, tuple[Fault, ...]]:
    """The season, the mean absolute error of the naive forecast on the training part, and the notes."""
    stretches = [
        Stretch(one.series, one.rows[inside], one.places[inside])
        for one in read.laid.stretches
        if (inside := trained[one.rows]).any()
    ]
    notes: list[Fault] = []
    season, naive = options.season, None
    if season is not None:
        naive = naive_error(stretches, values, season)
        if naive is None:
            fail("data.series-season", season=season, longest=max(len(one.rows) for one in stretches))
    else:
        series: list[Array] = []
        for number in sorted({one.series for one in stretches}):
            own = [one for one in stretches if one.series == number]
            rows = numpy.concatenate([one.rows for one in own])
            series.append(filled(numpy.concatenate([one.places for one in own]), values[rows]))
        season = season_of(series, read.clock.natural())
        naive = naive_error(stretches, values, season)
        phrase = "data.series-season-found" if season > 1 else "data.series-no-season"
        notes.append(Fault(phrase, {"season": season}))
        notes += _unlike(series, read)
    return season, naive or None, tuple(notes)


def _unlike(series: list[Array], read: _Read) -> list[Fault]:
    """A note where the errors of one series hide those of another."""
    spreads = [float(values.std()) for values in series if len(values) > 1 and values.std() > 0]
    if not spreads or max(spreads) < _UNLIKE * min(spreads):
        return []
    return [Fault("data.series-unlike", {"times": round(max(spreads) / min(spreads)), "column": read.group})]


def _places(stretches: list[Stretch], count: int) -> Array:
    """The place in steps of each row."""
    places = numpy.zeros(count, numpy.int64)
    for stretch in stretches:
        places[stretch.rows] = stretch.places
    return places


def _of_cut(cut: Cut, read: _Read, series: Array, options: Options) -> list[Fault]:
    """What is told of windows and parts."""
    window, horizon = options.window or 1, options.horizon or 1
    phrase = "data.series-told-group" if read.laid.names else "data.series-told"
    told = {"column": read.target, "window": window, "horizon": horizon, "count": len(read.laid.names)}
    notes = [Fault(phrase, told)]
    begins = {part: begin for part, begin in (("validation", cut.validation), ("test", cut.test)) if begin < numpy.inf}
    for part, begin in begins.items():
        notes.append(Fault(f"data.series-{part}-from", {"time": read.clock.shown(begin)}))
    if cut.left:
        notes.append(Fault("data.series-straddle", {"count": cut.left}))
    if read.laid.names:
        notes += _of_series(cut, read, series)
    return notes


def _of_series(cut: Cut, read: _Read, series: Array) -> list[Fault]:
    """Series that have no window, or none to train on."""
    every, trained = set(series.tolist()), set(series[cut.rows["train"].numpy()].tolist())
    short = [name for number, name in enumerate(read.laid.names) if number not in every]
    late = [name for number, name in enumerate(read.laid.names) if number in every - trained]
    found = (("data.series-short", short), ("data.series-untrained", late))
    return [
        Fault(phrase, {"count": len(names), "names": listed(names, _MOST_NAMED)}) for phrase, names in found if names
    ]
