"""Tables in JSON: an object a line, or one array of objects."""

import json
from typing import Any, cast

import numpy

from danlu.base.errors import Fault, UserError, fail
from danlu.base.input_files import guarded
from danlu.data.readers.text_file import decode_told, one_line_end
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import sheet_of

JSON_LINES = (".jsonl", ".ndjson")
JSON = (".json", *JSON_LINES)
_FOUND = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}

Row = dict[str, Any]


def read_json(content: bytes, path: str, encoding: str | None, *, lines: bool) -> Sheet:
    """The rows of objects, one a line where `lines`, else in one array; a key that a row lacks is missing there.

    Numbers, booleans and texts keep their types; a column with lists or objects in it is of no type to learn from.
    """
    text, notes = decode_told(content, path, encoding)
    text = one_line_end(text)
    with guarded(path):
        rows, numbers = _in_lines(text, path) if lines or _looks_like_lines(text) else (_in_array(text, path), None)
    if not rows:
        fail("data.no-rows", path=path)
    columns = {
        name: _column([row.get(name) for row in rows]) for name in dict.fromkeys(key for row in rows for key in row)
    }
    if not columns:
        fail("data.no-rows", path=path)
    sheet = sheet_of(columns, path)
    return Sheet(sheet.columns, path, numbers, notes, typed=True)


def _looks_like_lines(text: str) -> bool:
    """Whether a file that should be one array begins with an object and goes on with another."""
    first, _, rest = text.lstrip().partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")


def _in_lines(text: str, path: str) -> "tuple[list[Row], numpy.ndarray[Any, Any]]":
    found: list[tuple[int, Row]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found.append((number, _object(_parsed(line, path, number), path, _at(number))))
    return [row for _, row in found], numpy.array([number for number, _ in found])


def _in_array(text: str, path: str) -> list[Row]:
    whole = _parsed(text, path, 0)
    if not isinstance(whole, list):
        fail("tables.json-no-array", path=path, found=Fault(f"tables.json-{_kind(whole)}"))
    rows = enumerate(cast(list[Any], whole), start=1)
    return [_object(row, path, Fault("data.at-row", {"row": number})) for number, row in rows]


def _parsed(text: str, path: str, before: int) -> Any:
    """The value in a text, `before` being the number of its line; 0 for a whole file."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except _TwiceError as error:
        fail("tables.json-twice", path=path, at=_at(before), key=error)
    except json.JSONDecodeError as error:
        fail("tables.json-bad", path=path, at=_at(before or error.lineno), column=error.colno, reason=error.msg)
    except ValueError as error:  # a number of thousands of digits
        raise UserError(Fault("tables.json-value", {"path": path, "at": _at(before), "reason": error})) from None


def _at(line: int) -> Fault:
    return Fault("data.at-line", {"line": line}) if line else Fault("tables.the-file")


class _TwiceError(Exception):
    """A key stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for place, name in enumerate(names) if name in names[:place]))
    return row


def _object(row: Any, path: str, at: Fault) -> Row:
    if not isinstance(row, dict):
        fail("tables.json-no-object", path=path, at=at, found=Fault(f"tables.json-{_kind(row)}"))
    return cast(Row, row)


def _kind(value: Any) -> str:
    return _FOUND.get(type(value), "null")


class _Nested:
    """Stands for the cells of a column in which there are objects or lists: nothing that could be learnt from."""


def _column(values: list[Any]) -> list[Any]:
    return [_Nested()] * len(values) if any(isinstance(value, dict | list) for value in values) else values
