"""Answers as a table, without torch."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy

from danlu.base.errors import Fault


def notes_of(odd: Iterable[tuple[int, Fault]]) -> dict[int, str]:
    """What is odd about rows, told of each by its number, all of it in one note a row.

    >>> notes_of([(3, Fault("data.unseen-category", {"column": "kind", "value": "z"}))])
    {3: 'kind "z" is not in the training data; it is treated as none of the known categories'}
    """
    notes: dict[int, str] = {}
    for row, fault in odd:
        notes[row] = f"{notes[row]}; {fault}" if row in notes else str(fault)
    return notes


def as_csv(portions: Iterable[Sequence[Mapping[str, Any]]], *, notes: bool, end: str = "\r\n") -> Iterator[str]:
    """Records as lines of CSV, portion by portion, a header first: the columns of the first record, and where rows may
    have `notes` that of these; what a record lacks is left empty.

    >>> "".join(as_csv([[{"row": 1, "answer": "a, b"}], [{"row": 2, "answer": "c"}]], notes=True, end="|"))
    'row,answer,note|1,"a, b",|2,c,|'
    """
    columns: list[str] = []
    for records in portions:
        text = io.StringIO()
        first = not columns
        columns = columns or columns_of(records, notes=notes)
        table = csv.DictWriter(text, columns, restval="", lineterminator=end)
        if first:
            table.writeheader()
        table.writerows(records)
        yield text.getvalue()


def records_of(
    file: str,
    places: Sequence[str],
    values: Any,
    ranked: Callable[[int], Iterable[tuple[str, float]]] | None,
    band: tuple[float, float] | None,
    notes: Mapping[int, str],
    names: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """A dict a row: "file", "row", "answer"; of classes the likeliest ones, which `ranked` tells of a row, as "answer"
    and "probability", "answer_2" and "probability_2" …; of one number "low" and "high" where an error `band` is known;
    and a "note" where a row is odd. Of several numbers each has the name of its target, else "answer_1" and so on.

    >>> records_of("t.csv", ["2"], [0.5], None, (-1.0, 1.0), {})
    [{'file': 't.csv', 'row': '2', 'answer': 0.5, 'low': -0.5, 'high': 1.5}]
    """
    several = numpy.ndim(values) > 1
    records: list[dict[str, Any]] = []
    for row, place in enumerate(places):
        record: dict[str, Any] = {"file": file, "row": place}
        if ranked is not None:
            for rank, (label, probability) in enumerate(ranked(row), start=1):
                suffix = "" if rank == 1 else f"_{rank}"
                record |= {f"answer{suffix}": label, f"probability{suffix}": probability}
        elif several:
            numbers = values[row].tolist()
            called = names or [f"answer_{number}" for number in range(1, len(numbers) + 1)]
            record |= {own_name(name): value for name, value in zip(called, numbers, strict=True)}
        else:
            value = values[row]
            record["answer"] = value.item() if hasattr(value, "item") else value
            if band is not None:
                record |= {end: record["answer"] + away for end, away in zip(("low", "high"), band, strict=True)}
        if row in notes:
            record["note"] = notes[row]
        records.append(record)
    return records


def with_beside(record: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """A record with one more column, which stands behind "row" and those put there before it were.

    >>> with_beside({"file": "t.csv", "row": "2", "answer": 0.5}, "month", "1950-01")
    {'file': 't.csv', 'row': '2', 'month': '1950-01', 'answer': 0.5}
    """
    head = {key: record[key] for key in ("file", "row")}
    return {**head, own_name(name): value, **{key: told for key, told in record.items() if key not in head}}


def own_name(target: str) -> str:
    """What the column of a target's answers is called: as the target is, unless rows have something else so called.

    >>> own_name("height"), own_name("row")
    ('height', 'answer_row')
    """
    return f"answer_{target}" if target in ("file", "row", "note") else target


def label_records(
    file: str, places: Sequence[str], labels: Sequence[Sequence[Any]], separator: str, notes: Mapping[int, str]
) -> list[dict[str, Any]]:
    """A dict a row: "file", "row", "answer" with all labels of the row, and a "note" where it is odd. A row without any
    has the separator alone.

    >>> label_records("t.csv", ["2"], [["red", "round"]], ";", {})
    [{'file': 't.csv', 'row': '2', 'answer': 'red;round'}]
    """
    return [
        {"file": file, "row": place, "answer": separator.join(map(str, labels[row])) or separator}
        | ({"note": notes[row]} if row in notes else {})
        for row, place in enumerate(places)
    ]


def share_records(
    file: str, places: Sequence[str], shares: Sequence[Mapping[str, float]], notes: Mapping[int, str]
) -> list[dict[str, Any]]:
    """A dict a row: "file", "row", the share of the pixels of each class by its name, and a "note" where it is odd.

    >>> share_records("", ["a.png"], [{"sky": 0.75, "row": 0.25}], {})
    [{'file': '', 'row': 'a.png', 'sky': 0.75, 'answer_row': 0.25}]
    """
    return [
        {"file": file, "row": place}
        | {own_name(name): share for name, share in shares[row].items()}
        | ({"note": notes[row]} if row in notes else {})
        for row, place in enumerate(places)
    ]


def columns_of(records: Iterable[Mapping[str, Any]], *, notes: bool = False) -> list[str]:
    """The columns of all records, those of the first one first, and "note" last, where there is one or may be `notes`.

    >>> columns_of([{"note": "odd", "row": 1}, {"row": 2}])
    ['row', 'note']
    """
    names = dict.fromkeys(name for record in records for name in record)
    return [name for name in names if name != "note"] + (["note"] if notes or "note" in names else [])
