"""Answers as a table, without torch."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def as_csv(records: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Records as lines of CSV, a header first; what a record lacks is left empty.

    >>> as_csv([{"row": 1, "answer": "a, b"}], ["row", "answer", "note"])
    'row,answer,note\\r\\n1,"a, b",\\r\\n'
    """
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="")
    table.writeheader()
    table.writerows(records)
    return text.getvalue()


def columns_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns of all records, those of the first one first, and "note" last."""
    names = dict.fromkeys(name for record in records for name in record)
    return [name for name in names if name != "note"] + (["note"] if "note" in names else [])
