"""What a column of text holds: whole numbers, numbers, booleans, dates, or text after all."""

import re
from typing import TYPE_CHECKING, Any

import numpy

from danlu.data.table.columns import Column

if TYPE_CHECKING:
    import polars

# What stands for "no value" in a CSV file.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "na", "null", "NULL", "None", "NaN", "nan", "NAN", "?", "-")
LEADING_ZERO = r"^[+-]?0\d"
WHOLE = r"^[+-]?\d{1,15}$"
DATE = re.compile(r"\d{4}[-/]\d{2}([-/]\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?)?")


def column_from_text(texts: "polars.Series") -> Column:
    """The column that the cells of a CSV file, as text, stand for.

    Codes with leading zeros ("00123") stay text: as numbers they would not come back.
    """
    texts = texts.str.strip_chars()
    texts = texts.set(texts.is_in(MISSING), None)
    present = texts.drop_nulls()
    if not len(present) or present.str.contains(LEADING_ZERO).any():
        return Column("text", texts.to_numpy())
    if present.str.contains(WHOLE).all():
        return Column("integer", _floats(texts))
    if not (texts.cast(float, strict=False).is_null() & texts.is_not_null()).any():
        return Column("number", _floats(texts))
    if present.str.to_lowercase().is_in(("true", "false")).all():
        return Column("boolean", _floats((texts.str.to_lowercase() == "true").cast(int)))
    if DATE.fullmatch(present[0]) and (days := _days(texts.to_list())) is not None:
        return Column("date", days)
    return Column("text", texts.to_numpy())


def numbers_from_text(texts: "numpy.ndarray[Any, Any]") -> "tuple[numpy.ndarray[Any, Any], int | None]":
    """Text cells as numbers, and the first row that is none (None where all are)."""
    numbers = numpy.full(len(texts), numpy.nan)
    for row, text in enumerate(texts):
        if text is not None and text.strip() not in MISSING:
            try:
                numbers[row] = float(text)
            except ValueError:
                return numbers, row
    return numbers, None


def _floats(series: "polars.Series") -> "numpy.ndarray[Any, Any]":
    return series.cast(float).fill_null(float("nan")).to_numpy()


def _days(texts: list[str | None]) -> "numpy.ndarray[Any, Any] | None":
    """ISO dates, also with slashes or without a day, as days since 1970; None where one of them is no date."""
    if not all(text is None or DATE.fullmatch(text) for text in texts):
        return None
    plain = ["NaT" if text is None else text.replace("/", "-").removesuffix("Z") for text in texts]
    try:
        moments = numpy.array(plain, dtype="datetime64[ms]")
    except ValueError:
        return None
    return numpy.where(numpy.isnat(moments), numpy.nan, moments.astype(numpy.int64) / 86_400_000)
