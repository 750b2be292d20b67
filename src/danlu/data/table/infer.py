"""What a column of text holds: whole numbers, numbers, booleans, dates, or text after all."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy

from danlu.base.errors import Fault
from danlu.data.table.cells import LEADING_ZERO, Beyond, CellsInMemory, stripped
from danlu.data.table.columns import EXACT, Column, Kind, Sheet, Table, offset_of, whole_numbers
from danlu.data.table.dates import ORDERS, YEAR_FIRST, fit_dates, parse_date
from danlu.data.table.many_cells import ManyCells
from danlu.data.table.spelling import (
    DECIMAL_COMMA,
    POINT,
    Fit,
    best_fits,
    is_missing_number,
    is_plain,
    parse_number,
    plain_signs,
    value_in,
)

if TYPE_CHECKING:
    import polars

Facts = CellsInMemory | ManyCells
"""What is known of a column of text: in memory, or gathered block by block."""

# Share of cells that may be no numbers in a column of numbers.
ODD_SHARE = 0.1
# So many different texts tell whether the others are worth a look.
TRIED = 200


@dataclass(frozen=True)
class Clues:
    """What the whole file says about the spelling of a column that leaves it open."""

    place: Callable[[int], Fault] = field(default=lambda row: Fault("data.at-row", {"row": row + 1}))
    decimal: str | None = None  # "." or ","
    order: str | None = None  # of day and month in dates


@dataclass(frozen=True)
class Reading:
    """How the cells of a column are read: what all of them together showed.

    `known` are numbers of texts that have been read already; `unit` is that of numbers as people write them.
    """

    kind: Kind
    spelling: str = ""
    offset: int = 0
    remarks: tuple[Fault, ...] = ()
    form: Literal["as-is", "plain", "long", "switch", "date", "written"] = "as-is"
    unit: str = ""
    known: "Mapping[str, int | float]" = field(default_factory=dict[str, int | float], repr=False, compare=False)

    def read(self, texts: "polars.Series") -> "numpy.ndarray[Any, Any]":
        """The values of cells, whose texts are stripped."""
        if self.form == "as-is":
            return texts.to_numpy()
        if self.form == "plain":
            return floats(texts)
        if self.form == "switch":
            return floats((texts.str.to_lowercase() == "true").cast(int))
        different = texts.unique().to_list()
        numbers = {text: self._number(text) for text in different if text is not None}
        whole = self.kind == "integer"
        values = {
            text: float(number - self.offset if whole else number)
            for text, number in numbers.items()
            if number is not None
        }
        return numpy.array([values.get(text, numpy.nan) for text in texts.to_list()], dtype=numpy.float64)

    def _number(self, text: str) -> int | float | None:
        if self.form == "long":
            return int(text)
        if text in self.known:
            return self.known[text]
        return parse_date(text, self.spelling) if self.form == "date" else value_in(text, self.spelling, self.unit)

    def column(self, texts: "polars.Series") -> Column:
        return Column(self.kind, self.read(texts), self.spelling, self.offset, self.remarks)


@dataclass(frozen=True)
class Guess:
    """What a column is taken for; `refused` says why that cannot be told of a column that is not held in memory."""

    reading: Reading
    open: bool = False  # whether another spelling would have done as well
    decimal: str | None = None  # what this column shows
    refused: Fault | None = None


def interpret(sheet: Sheet, keep: Collection[str] = ()) -> Table:
    """The columns of a sheet, text read as what it stands for; `keep` names typed columns whose text stays text."""
    texts = {name: stripped(series) for name, series in sheet.columns.items() if is_text(series) and name not in keep}
    cells = {name: CellsInMemory(series) for name, series in texts.items()}
    read = {name: typed_column(series) for name, series in sheet.columns.items() if name not in texts}
    for name, reading in readings(cells, sheet.place, semicolons=sheet.semicolons, typed=sheet.typed).items():
        read[name] = reading.reading.column(texts[name])
    return {name: read[name] for name in sheet.columns}


def readings(
    columns: Mapping[str, Facts], place: Callable[[int], Fault], *, semicolons: bool, typed: bool
) -> dict[str, Guess]:
    """How the columns of text of one table are read, each by its own cells and, where those leave it open, by what the
    others show. `semicolons` separate its columns; `typed`: the table has types, and a text that is none is told.
    """
    guesses = {name: guess(name, cells, Clues(place)) for name, cells in columns.items()}
    clues = _clues(guesses, place, semicolons=semicolons)
    again = [name for name, found in guesses.items() if found.open]
    guesses.update({name: guess(name, columns[name], clues) for name in again})
    return {name: _told(name, found) if typed else found for name, found in guesses.items()}


def column_from_text(texts: "polars.Series", name: str = "", clues: Clues | None = None) -> Column:
    """The column that the cells of a text file stand for."""
    texts = stripped(texts)
    return guess(name, CellsInMemory(texts), clues or Clues()).reading.column(texts)


def text_column(texts: "polars.Series") -> Column:
    """Text as it is, without blanks around it, and None for what stands for a missing value."""
    return Column("text", stripped(texts).to_numpy())


def typed_column(series: "polars.Series") -> Column:
    """A column in the type that it came in."""
    import polars

    kind = series.dtype
    if kind == polars.Boolean:
        return Column("boolean", floats(series))
    if kind.is_integer():
        return _integers(series)
    if kind.is_float() or kind.is_decimal():
        return Column("number", floats(series))
    if kind == polars.Date or kind == polars.Datetime:
        return Column("date", floats(series.cast(polars.Datetime("us")).cast(polars.Int64)) / 86_400_000_000)
    if kind == polars.Duration:
        return Column("date", floats(series.dt.total_milliseconds()) / 86_400_000)
    if kind == polars.String or kind == polars.Categorical or kind == polars.Enum or kind == polars.Null:
        return Column("text", series.cast(polars.String).to_numpy())
    return Column("other", numpy.full(len(series), None, dtype=object))


def cells_as_numbers(
    texts: "Sequence[str | None]", kind: Kind, spelling: str
) -> "tuple[numpy.ndarray[Any, Any], int, int | None]":
    """Text cells read in the way that a column of the training data was; the offset, and the first row that is no
    number there (None where all are).
    """
    numbers: list[int | float | None] = []
    odd = None
    for row, text in enumerate(texts):
        missing = text is None or is_missing_number(text)
        number = None if missing else _as_number(str(text), kind, spelling)
        numbers.append(number)
        if number is None and not missing and odd is None:
            odd = row
    values, offset = numbers_of(numbers)
    return values, offset, odd


def _as_number(text: str, kind: Kind, spelling: str) -> int | float | None:
    if kind == "boolean" and text.strip().lower() in ("true", "false"):
        return float(text.strip().lower() == "true")
    if kind == "date" and (day := parse_date(text, spelling or YEAR_FIRST)) is not None:
        return day
    read = parse_number(text, POINT if kind == "date" or not spelling else spelling)
    return None if read is None else read.value


def guess(name: str, cells: Facts, clues: Clues) -> Guess:
    """What a column of text is taken for, by the facts of all its cells."""
    if not cells.present:
        return Guess(Reading("text"))
    if cells.zeros and cells.codes:
        remark = Fault("data.padded-codes", {"column": name, "example": cells.first})
        return Guess(Reading("text", remarks=(remark,)))
    if not cells.zeros and (plain := _plain(cells, clues)):
        return plain
    if cells.switches:
        return Guess(Reading("boolean", form="switch"))
    return (
        _dates(name, cells, clues)
        or _human_numbers(name, cells, clues)
        or Guess(Reading("text", remarks=_mixed(name, cells, clues)))
    )


def _plain(cells: Facts, clues: Clues) -> Guess | None:
    """Numbers as programs write them; None where a cell is none, or where points may separate thousands."""
    if cells.short:
        return Guess(Reading("integer", form="plain"))
    if cells.whole:
        return Guess(Reading("integer", offset=offset_of(*(cells.extremes or (0, 0))), form="long"))
    if not cells.floats:
        return None
    if clues.decimal == "," and cells.pointed and cells.grouped:
        return None
    shown = "." if cells.fractions else None
    return Guess(Reading("number", form="plain"), open=shown is None and cells.pointed, decimal=shown)


def _dates(name: str, cells: Facts, clues: Clues) -> Guess | None:
    tried = list(islice(cells.seen, TRIED))
    if not any(parse_date(text, order) is not None for text in tried for order in ORDERS):
        return None
    fit = fit_dates(list(cells.seen), clues.order)
    if cells.too_varied or (fit.open and cells.dates.count):
        return _too_varied(name, cells)
    remarks = _accepted(name, cells, fit.days, fit.odd, cells.numbers, clues)
    if remarks is None:
        return None
    if fit.order != YEAR_FIRST:
        example = next((text for text in fit.days if _differs(text)), next(iter(fit.days)))
        moment = str(numpy.datetime64(int(numpy.floor(fit.days[example])), "D"))
        phrase = "data.dates-open" if fit.open else "data.dates-read"
        remarks = (Fault(phrase, {"column": name, "example": example, "date": moment, "order": fit.order}), *remarks)
    reading = Reading("date", fit.order, remarks=remarks, form="date", known=fit.days)
    return Guess(reading, open=fit.open)


def _differs(text: str) -> bool:
    return parse_date(text, ORDERS[1]) != parse_date(text, ORDERS[2])


def _human_numbers(name: str, cells: Facts, clues: Clues) -> Guess | None:
    tried = list(islice(cells.seen, TRIED))
    if 2 * sum(bool(best_fits([text])) for text in tried) < len(tried):
        return None
    if cells.too_varied:
        return _too_varied(name, cells)
    fits = best_fits(list(cells.seen))
    if not fits:
        return None
    chosen = _chosen(fits, clues)
    remarks = _accepted(name, cells, chosen.numbers, chosen.odd, cells.dates, clues)
    if remarks is None:
        return None
    # A cell that only one of them reads is odd in the other, which is told.
    others = [fit for fit in fits if any(fit.numbers.get(text, one) != one for text, one in chosen.numbers.items())]
    remarks = (*_on_spelling(name, chosen, others), *remarks)
    whole = all(isinstance(number, int) for number in chosen.numbers.values())
    kind: Kind = "integer" if whole else "number"
    ends = [*chosen.numbers.values(), *((cells.extremes or ()) if cells.numbers.count else ())]
    offset = offset_of(int(min(ends)), int(max(ends))) if whole else 0
    shown = "," if chosen.spelling in (DECIMAL_COMMA, "1 234,56") else "."
    comma = any("," in text for text in chosen.numbers)
    decimal = shown if not others and comma and not whole else None
    reading = Reading(kind, chosen.spelling, offset, remarks, "written", chosen.unit, chosen.numbers)
    return Guess(reading, bool(others), decimal)


def _too_varied(name: str, cells: Facts) -> Guess:
    """Of texts that cannot all be kept it is not known how they are to be read."""
    told = {"column": name, "example": cells.others.text or cells.first}
    return Guess(Reading("other"), refused=Fault("large.too-varied", told))


def _on_spelling(name: str, chosen: Fit, others: list[Fit]) -> tuple[Fault, ...]:
    """How the numbers were read, by a cell that shows it; nothing where all are written as programs do."""
    if others:
        text = next(text for text, one in chosen.numbers.items() if others[0].numbers.get(text, one) != one)
        read = {"number": _shown(chosen.numbers[text]), "other": _shown(others[0].numbers[text])}
        return (Fault("data.numbers-open", {"column": name, "text": text, **read}),)
    unusual = [text for text in chosen.numbers if not is_plain(text) or re.match(LEADING_ZERO, text)]
    read = [{"column": name, "text": text, "number": _shown(chosen.numbers[text])} for text in unusual[:1]]
    return tuple(Fault("data.numbers-read", values) for values in read)


def _shown(number: int | float) -> int | float:
    return int(number) if number == number // 1 else number


def _chosen(fits: list[Fit], clues: Clues) -> Fit:
    """Of several spellings that fit: that whose decimal sign the file has elsewhere, else the first."""
    if clues.decimal == ",":
        return next((fit for fit in fits if fit.spelling == DECIMAL_COMMA), fits[0])
    return fits[0]


def _accepted(
    name: str, cells: Facts, numbers: Mapping[str, Any], odd: Sequence[str], beyond: Beyond, clues: Clues
) -> tuple[Fault, ...] | None:
    """A remark on the few cells that are no numbers, `beyond` among them; None where those are too many."""
    strange = {text: cells.seen[text] for text in odd if not is_missing_number(text)}
    wrong = sum(one.times for one in strange.values()) + beyond.count
    missing = sum(cells.seen[text].times for text in odd if text not in strange)
    present = cells.present - missing
    if not numbers or wrong > ODD_SHARE * present:
        return None
    if not wrong:
        return ()
    rows = {one.row: text for text, one in strange.items()} | ({beyond.row: beyond.text} if beyond.count else {})
    first = min(rows)
    told = {"column": name, "count": wrong, "found": rows[first], "at": clues.place(first)}
    return (Fault("data.odd-cells", {**told, "numbers": present - wrong}),)


def _mixed(name: str, cells: Facts, clues: Clues) -> tuple[Fault, ...]:
    """A remark where some cells of a column of text are numbers."""
    words = {text: one for text, one in cells.seen.items() if not is_plain(plain_signs(text))}
    count = cells.present - sum(one.times for one in words.values()) - cells.dates.count - cells.others.count
    if not count:
        return _written_in_two_ways(name, cells)
    text, first = next(iter(words.items()))
    told = {"column": name, "count": count, "total": cells.present, "found": text, "at": clues.place(first.row)}
    return (Fault("data.mixed-text", told),)


def _written_in_two_ways(name: str, cells: Facts) -> tuple[Fault, ...]:
    """A remark where each cell is a number in some spelling, and in none all of them are."""
    tried = list(islice(cells.seen, TRIED))
    if not tried or not all(best_fits([text]) for text in tried):
        return ()
    (best, *_) = best_fits(tried)
    return tuple(
        Fault("data.two-ways", {"column": name, "one": next(iter(best.numbers)), "other": odd}) for odd in best.odd[:1]
    )


def _clues(guesses: Mapping[str, Guess], place: Callable[[int], Fault], *, semicolons: bool) -> Clues:
    shown = {found.decimal for found in guesses.values()} - {None}
    orders = {found.reading.spelling for found in guesses.values() if found.reading.kind == "date" and not found.open}
    decimal = shown.pop() if len(shown) == 1 else None
    if decimal is None and not shown and semicolons:
        decimal = ","
    order = next((order for order in ORDERS[1:] if order in orders), None)
    return Clues(place, decimal, order)


def _told(name: str, found: Guess) -> Guess:
    """A column of a frame whose text was read as numbers says so."""
    if found.reading.kind in ("text", "other") or found.reading.remarks:
        return found
    remark = Fault("data.text-as-numbers", {"column": name})
    return replace(found, reading=replace(found.reading, remarks=(remark,)))


def whole_as_floats(series: "polars.Series", offset: int) -> "numpy.ndarray[Any, Any]":
    """Whole numbers as float64, `offset` taken from each; NaN where one is missing."""
    if not offset:
        return floats(series)
    return numpy.array([numpy.nan if value is None else float(value - offset) for value in series.to_list()])


def as_text_if_named(series: "polars.Series") -> "polars.Series":
    """A column of named categories, or of nothing, as text; any other as it is."""
    import polars

    named = series.dtype == polars.Categorical or series.dtype == polars.Enum or series.dtype == polars.Null
    return series.cast(polars.String) if named else series


def is_text(series: "polars.Series") -> bool:
    """Whether a column came as text."""
    import polars

    return series.dtype == polars.String


def numbers_of(values: "Sequence[int | float | None]") -> "tuple[numpy.ndarray[Any, Any], int]":
    """Numbers as float64 with NaN for None, and what was taken from whole ones that are too large for that."""
    if all(value is None or isinstance(value, int) for value in values):
        return whole_numbers([None if value is None else int(value) for value in values])
    return numpy.array([numpy.nan if value is None else float(value) for value in values]), 0


def _integers(series: "polars.Series") -> Column:
    least, most = series.min(), series.max()
    if isinstance(least, int) and isinstance(most, int) and max(abs(least), abs(most)) > EXACT:
        values, offset = whole_numbers(series.to_list())
        return Column("integer", values, offset=offset)
    return Column("integer", floats(series))


def floats(series: "polars.Series") -> "numpy.ndarray[Any, Any]":
    """Numbers as float64, NaN where one is missing."""
    import polars

    return series.cast(polars.Float64).fill_null(float("nan")).to_numpy()
