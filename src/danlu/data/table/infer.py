"""What a column of text holds: whole numbers, numbers, booleans, dates, or text after all."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy

from danlu.base.errors import Fault
from danlu.data.table.columns import EXACT, Column, Kind, Sheet, Table, whole_numbers
from danlu.data.table.dates import ORDERS, YEAR_FIRST, fit_dates, parse_date
from danlu.data.table.spelling import (
    DECIMAL_COMMA,
    MAX_DIGITS,
    MISSING,
    POINT,
    Fit,
    best_fits,
    is_missing_number,
    is_padded_code,
    is_plain,
    parse_number,
    plain_signs,
)

if TYPE_CHECKING:
    import polars

# [0-9], for \d is every script's digits.
LEADING_ZERO = r"^[+-]?0[0-9]"
WHOLE = r"^[+-]?[0-9]+$"
SHORT_WHOLE = r"^[+-]?[0-9]{1,15}$"
# What can only be a decimal point: it stands behind a 0, or not in front of three digits.
DECIMAL_POINT = r"^[+-]?0?\.[0-9]|\.([0-9]{1,2}|[0-9]{4,})$"
GROUPED_POINT = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
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
class _Guess:
    column: Column
    open: bool = False  # whether another spelling would have done as well
    decimal: str | None = None  # what this column shows


def interpret(sheet: Sheet, keep: Collection[str] = ()) -> Table:
    """The columns of a sheet, text read as what it stands for; `keep` names typed columns whose text stays text."""
    texts = {name: series for name, series in sheet.columns.items() if _is_text(series) and name not in keep}
    guesses = {name: _guess(name, series, Clues(sheet.place)) for name, series in texts.items()}
    clues = _clues(sheet, guesses)
    again = [name for name, guess in guesses.items() if guess.open]
    guesses.update({name: _guess(name, texts[name], clues) for name in again})
    read = {name: typed_column(series) for name, series in sheet.columns.items() if name not in texts}
    read.update({name: _told(name, guess.column, sheet) for name, guess in guesses.items()})
    return {name: read[name] for name in sheet.columns}


def column_from_text(texts: "polars.Series", name: str = "", clues: Clues | None = None) -> Column:
    """The column that the cells of a text file stand for."""
    return _guess(name, texts, clues or Clues()).column


def text_column(texts: "polars.Series") -> Column:
    """Text as it is, without blanks around it, and None for what stands for a missing value."""
    return Column("text", _stripped(texts).to_numpy())


def typed_column(series: "polars.Series") -> Column:
    """A column in the type that it came in."""
    import polars

    kind = series.dtype
    if kind == polars.Boolean:
        return Column("boolean", _floats(series))
    if kind.is_integer():
        return _integers(series)
    if kind.is_float() or kind.is_decimal():
        return Column("number", _floats(series))
    if kind == polars.Date or kind == polars.Datetime:
        return Column("date", _floats(series.cast(polars.Datetime("us")).cast(polars.Int64)) / 86_400_000_000)
    if kind == polars.Duration:
        return Column("date", _floats(series.dt.total_milliseconds()) / 86_400_000)
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


def _guess(name: str, series: "polars.Series", clues: Clues) -> _Guess:
    texts = _stripped(series)
    present = texts.drop_nulls()
    if not len(present):
        return _Guess(Column("text", texts.to_numpy()))
    if present.str.contains(LEADING_ZERO).any() and is_padded_code(present.unique().to_list()):
        remark = Fault("data.padded-codes", {"column": name, "example": present[0]})
        return _Guess(Column("text", texts.to_numpy(), remarks=(remark,)))
    if not present.str.contains(LEADING_ZERO).any() and (plain := _plain(texts, present, clues)):
        return plain
    if present.str.to_lowercase().is_in(("true", "false")).all():
        return _Guess(Column("boolean", _floats((texts.str.to_lowercase() == "true").cast(int))))
    different = present.unique(maintain_order=True).to_list()
    return (
        _dates(name, texts, different, clues)
        or _human_numbers(name, texts, different, clues)
        or _Guess(Column("text", texts.to_numpy(), remarks=_mixed(name, texts, different, clues)))
    )


def _plain(texts: "polars.Series", present: "polars.Series", clues: Clues) -> _Guess | None:
    """Numbers as programs write them; None where a cell is none, or where points may separate thousands."""
    if present.str.contains(SHORT_WHOLE).all():
        return _Guess(Column("integer", _floats(texts)))
    longest = present.str.len_bytes().max()
    if isinstance(longest, int) and longest <= MAX_DIGITS and present.str.contains(WHOLE).all():
        values, offset = whole_numbers([None if text is None else int(text) for text in texts.to_list()])
        return _Guess(Column("integer", values, offset=offset))
    if (texts.cast(float, strict=False).is_null() & texts.is_not_null()).any():
        return None
    grouped = present.filter(present.str.contains(".", literal=True))
    if clues.decimal == "," and len(grouped) and grouped.str.contains(GROUPED_POINT).all():
        return None
    shown = "." if present.str.contains(DECIMAL_POINT).any() else None
    return _Guess(Column("number", _floats(texts)), open=shown is None and len(grouped) > 0, decimal=shown)


def _dates(name: str, texts: "polars.Series", different: list[str], clues: Clues) -> _Guess | None:
    if not any(parse_date(text, order) is not None for text in different[:TRIED] for order in ORDERS):
        return None
    fit = fit_dates(different, clues.order)
    found = _accepted(name, texts, fit.days, fit.odd, clues)
    if found is None:
        return None
    values, remarks = found
    if fit.order != YEAR_FIRST:
        example = next((text for text in fit.days if _differs(text)), next(iter(fit.days)))
        moment = str(numpy.datetime64(int(numpy.floor(fit.days[example])), "D"))
        phrase = "data.dates-open" if fit.open else "data.dates-read"
        remarks = (Fault(phrase, {"column": name, "example": example, "date": moment, "order": fit.order}), *remarks)
    return _Guess(Column("date", numbers_of(values)[0], fit.order, remarks=remarks), open=fit.open)


def _differs(text: str) -> bool:
    return parse_date(text, ORDERS[1]) != parse_date(text, ORDERS[2])


def _human_numbers(name: str, texts: "polars.Series", different: list[str], clues: Clues) -> _Guess | None:
    tried = different[:TRIED]
    if 2 * sum(bool(best_fits([text])) for text in tried) < len(tried):
        return None
    fits = best_fits(different)
    if not fits:
        return None
    chosen = _chosen(fits, clues)
    found = _accepted(name, texts, chosen.numbers, chosen.odd, clues)
    if found is None:
        return None
    numbers, remarks = found
    values, offset = numbers_of(numbers)
    others = [fit for fit in fits if fit.numbers != chosen.numbers]
    remarks = (*_on_spelling(name, chosen, others), *remarks)
    whole = all(isinstance(number, int) for number in chosen.numbers.values())
    kind: Kind = "integer" if whole else "number"
    shown = "," if chosen.spelling in (DECIMAL_COMMA, "1 234,56") else "."
    comma = any("," in text for text in chosen.numbers)
    decimal = shown if not others and comma and not whole else None
    return _Guess(Column(kind, values, chosen.spelling, offset, remarks), bool(others), decimal)


def _on_spelling(name: str, chosen: Fit, others: list[Fit]) -> tuple[Fault, ...]:
    """How the numbers were read, by a cell that shows it; nothing where all are written as programs do."""
    if others:
        text = next(text for text in chosen.numbers if others[0].numbers[text] != chosen.numbers[text])
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
    name: str, texts: "polars.Series", numbers: dict[str, Any], odd: Sequence[str], clues: Clues
) -> tuple[list[Any], tuple[Fault, ...]] | None:
    """The cells' numbers, and a remark on the few that are none; None where those are too many."""
    cells: list[str | None] = texts.to_list()
    strange = {text for text in odd if not is_missing_number(text)}
    wrong = [row for row, text in enumerate(cells) if text in strange]
    present = sum(text is not None for text in cells) - sum(text in odd and text not in strange for text in cells)
    if not numbers or len(wrong) > ODD_SHARE * present:
        return None
    values = [None if text is None else numbers.get(text) for text in cells]
    if not wrong:
        return values, ()
    told = {"column": name, "count": len(wrong), "found": cells[wrong[0]], "at": clues.place(wrong[0])}
    return values, (Fault("data.odd-cells", {**told, "numbers": present - len(wrong)}),)


def _mixed(name: str, texts: "polars.Series", different: list[str], clues: Clues) -> tuple[Fault, ...]:
    """A remark where some cells of a column of text are numbers."""
    numbers = {text for text in different if is_plain(plain_signs(text))}
    if not numbers:
        return ()
    cells: list[str | None] = texts.to_list()
    row = next(row for row, text in enumerate(cells) if text is not None and text not in numbers)
    count = sum(text in numbers for text in cells)
    total = sum(text is not None for text in cells)
    told = {"column": name, "count": count, "total": total, "found": cells[row], "at": clues.place(row)}
    return (Fault("data.mixed-text", told),)


def _clues(sheet: Sheet, guesses: dict[str, _Guess]) -> Clues:
    shown = {guess.decimal for guess in guesses.values()} - {None}
    orders = {guess.column.spelling for guess in guesses.values() if guess.column.kind == "date" and not guess.open}
    decimal = shown.pop() if len(shown) == 1 else None
    if decimal is None and not shown and sheet.semicolons:
        decimal = ","
    order = next((order for order in ORDERS[1:] if order in orders), None)
    return Clues(sheet.place, decimal, order)


def _told(name: str, column: Column, sheet: Sheet) -> Column:
    """A column of a frame whose text was read as numbers says so."""
    if not sheet.typed or column.kind == "text" or column.remarks:
        return column
    return replace(column, remarks=(Fault("data.text-as-numbers", {"column": name}),))


def _is_text(series: "polars.Series") -> bool:
    import polars

    return series.dtype == polars.String


def _stripped(series: "polars.Series") -> "polars.Series":
    texts = series.str.strip_chars()
    return texts.set(texts.is_in(MISSING), None)


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
    return Column("integer", _floats(series))


def _floats(series: "polars.Series") -> "numpy.ndarray[Any, Any]":
    import polars

    return series.cast(polars.Float64).fill_null(float("nan")).to_numpy()
