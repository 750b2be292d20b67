"""Whether the first line of a table names its columns, or is a row already."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from danlu.base.errors import fail
from danlu.base.naming import listed
from danlu.data.table.spelling import is_missing_number, is_plain

if TYPE_CHECKING:
    import polars

# Years and short counting numbers are names that people give to columns.
_LOOKED_AT = 200  # rows
_YEAR = re.compile(r"1[89]\d\d|20\d\d")


def refuse_no_header(names: Sequence[str], columns: "Sequence[polars.Series]", path: str) -> None:
    """UserError where the first line of the file looks like a row: names that are numbers, or values of their own
    columns, or each other.

    Names that count on (0, 1, 2, …) and years are names.
    """
    refuse_held_names(names, [_holds(column, name) for name, column in zip(names, columns, strict=True)], path)


def refuse_names(first: Sequence[str], columns: "Sequence[polars.Series]", path: str) -> None:
    """UserError where the first line, which is to be a row, names columns: in most it alone is no number."""
    names = [
        cell
        for cell, column in zip(first, columns, strict=False)
        if not is_plain(cell.strip()) and not is_missing_number(cell) and _are_numbers(column[1:_LOOKED_AT])
    ]
    if len(names) > 1 and 2 * len(names) > len(first):
        fail("data.header-after-all", path=path, found=listed(first, 4))


def _are_numbers(column: "polars.Series") -> bool:
    there = [cell.strip() for cell in column.drop_nulls().to_list()]
    return bool(there) and all(is_plain(cell) for cell in there)


def refuse_held_names(names: Sequence[str], held: Sequence[bool], path: str) -> None:
    """The same of names of which it is known whether their own columns have them among their values."""
    numbers = [name for name in names if is_plain(name)]
    fractions = [name for name in numbers if not name.isdigit()]
    counting = len(numbers) > 2 and _counts_on(numbers)
    plain = [name for name in numbers if not counting and not _YEAR.fullmatch(name)]
    repeated = [name for name, holds in zip(names, held, strict=True) if name and holds]
    text = [name for name in repeated if name not in numbers]
    twice = len(set(names)) < len(names) and len(text) > len(names) // 2
    if fractions or (plain and 2 * len({*plain, *text}) >= len(set(names))) or 2 * len(text) > len(names) or twice:
        fail("data.no-header", path=path, found=listed(names, 4))


def _counts_on(numbers: Sequence[str]) -> bool:
    if not all(number.isdigit() and len(number) < 10 for number in numbers):
        return False
    values = [int(number) for number in numbers]
    return values == list(range(values[0], values[0] + len(values))) and values[0] in (0, 1)


def _holds(column: "polars.Series", name: str) -> bool:
    return bool((column.str.strip_chars() == name).any())
