"""A column in the type that a user names for it."""

from dataclasses import replace
from typing import Any

from danlu.base.errors import Faults
from danlu.data.table.columns import Column, as_text
from danlu.data.table.dates import fit_dates
from danlu.data.table.infer import numbers_of, text_column
from danlu.data.table.source import TableSource
from danlu.data.table.spelling import best_fits, is_missing_number

NUMBERS = ("integer", "number", "boolean")


def retyped(name: str, kind: str, source: TableSource, faults: Faults) -> Column:
    """The column `name` as a "category", a "number", a "date", or as "text", which is a category where it has few
    different values. `faults` get the first cell that does not allow it.

    A column that is read as numbers, or as dates, with a few odd cells stays as it was read.
    """
    column = source.table[name]
    texts = _text(name, source)
    if column.kind == "other":
        faults.add("columns.no-type", place=source.column(name), kind=kind)
    elif kind in ("category", "text"):
        return replace(texts, asked=kind == "category")
    elif kind == "number" and column.kind not in NUMBERS:
        return _numbers(name, texts, source, faults)
    elif kind == "date" and column.kind != "date":
        return _dates(name, texts, source, faults)
    return replace(column, asked=True)


def _text(name: str, source: TableSource) -> Column:
    """The column's cells as text, as its file spells them."""
    column = source.table[name]
    if source.sheet is not None:
        import polars

        series = source.sheet.columns[name]
        if series.dtype == polars.String:
            return text_column(series)
    return as_text(column)


def _numbers(name: str, texts: Column, source: TableSource, faults: Faults) -> Column:
    if source.table[name].kind == "date":
        _refuse("number", name, texts, {}, source, faults)
        return texts
    different = list(dict.fromkeys(text for text in texts.values.tolist() if text is not None))
    fits = best_fits(different)
    read: dict[str, Any] = dict(fits[0].numbers) if fits else {}
    if _refuse("number", name, texts, read, source, faults):
        return texts
    values, offset = numbers_of([read.get(text) for text in texts.values.tolist()])
    whole = all(isinstance(number, int) for number in read.values())
    return Column("integer" if whole else "number", values, fits[0].spelling if fits else "", offset, asked=True)


def _dates(name: str, texts: Column, source: TableSource, faults: Faults) -> Column:
    different = list(dict.fromkeys(text for text in texts.values.tolist() if text is not None))
    fit = fit_dates(different)
    if _refuse("date", name, texts, fit.days, source, faults):
        return texts
    values, _ = numbers_of([fit.days.get(text) for text in texts.values.tolist()])
    return Column("date", values, fit.order, asked=True)


def _refuse(kind: str, name: str, texts: Column, read: dict[str, Any], source: TableSource, faults: Faults) -> bool:
    """Add the fault that some cells are neither in `read` nor stand for a missing value."""
    cells: list[str | None] = texts.values.tolist()
    odd = [
        row for row, text in enumerate(cells) if text is not None and text not in read and not is_missing_number(text)
    ]
    if odd:
        told = {"count": len(odd), "total": len(cells), "found": cells[odd[0]], "at": source.at(odd[0])}
        faults.add(f"columns.cells-no-{kind}", place=source.column(name), **told)
    return bool(odd)
