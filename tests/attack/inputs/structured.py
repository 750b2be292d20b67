"""Tables in JSON and in workbooks, several files by a pattern, and what a user says of columns: all of it hostile."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attack.inputs.case import Case
from danlu.data import load
from workbooks import write_workbook

FAMILY = "structured tables"
ROWS: list[dict[str, Any]] = [{"width": n * 7 % 31 + 0.5, "kind": "ab"[n % 2], "label": n % 2} for n in range(40)]

VALUES: dict[str, str] = {
    "a list": "[1, 2]",
    "an object": '{"a": {"b": 1}}',
    "long": "9" * 400,
    "too long": "9" * 9000,
    "infinite": "1e999",
    "NaN": "NaN",
    "minus infinity": "-Infinity",
    "beyond 64 bits": str(2**70),
    "half a pair": r'"\ud800"',
    "zero": r'"\u0000"',
    "escape": r'"\u001b[31mred"',
    "bidi": '"a\u202eb"',
    "empty": '""',
    "true": "true",
    "text": '"abc"',
    "number as text": '"1,5"',
    "deep": "[" * 5000 + "]" * 5000,
    "nothing": "",
    "trailing comma": "1,",
    "comment": "1 // one",
}
WHOLE: dict[str, str] = {
    "an object of columns": json.dumps({"width": [1, 2], "label": [0, 1]}),
    "a number": "1",
    "a string": '"x"',
    "null": "null",
    "deep": "[" * 200_000,
    "two arrays": "[{}] [{}]",
    "empty objects": "[{}, {}]",
    "cut off": json.dumps(ROWS)[:-20],
    "a key twice": '[{"label": 1, "label": 2}]',
    "an empty key": json.dumps([{"": 1.5, **row} for row in ROWS]),
    "a million keys": json.dumps([{f"k{n}": n for n in range(20_000)}]),
}
ASKED: list[dict[str, Any]] = [
    {"drop": ["label"]},
    {"drop": [""]},
    {"drop": ["\ud800"]},
    {"drop": ["width", "kind"]},
    {"columns": ["*"]},
    {"columns": [99]},
    {"columns": []},
    {"types": {"kind": "number"}},
    {"types": {"width": "date"}},
    {"types": {"label": "text"}},
    {"types": {"\x1b[31m": "category"}},
    {"types": {"width": "<script>"}},
    {"types": {"width": None}},
    {"types": "category"},
    {"types": {"width": "category"}, "drop": ["width"]},
    {"sheet": "none"},
]


def lines(place: Path, value: str) -> Path:
    rows = [json.dumps(row) for row in ROWS]
    rows[7] = rows[7].replace('"kind": "b"', f'"kind": {value}')
    path = place / "t.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def whole(place: Path, text: str) -> Path:
    path = place / "t.json"
    path.write_text(text, encoding="utf-8")
    return path


def pattern(place: Path, spoil: Callable[[Path], object]) -> str:
    for n in range(2):
        (place / f"{n}.csv").write_text("width,label\n" + "\n".join(f"{k}.5,{k % 2}" for k in range(30)))
    spoil(place / "2.csv")
    return f"{place}/*.csv"


SPOILT: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a broken link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "another column": lambda path: path.write_text("width,other\n1,2\n"),
    "nothing": lambda path: path.touch(),
    "no table": lambda path: path.write_bytes(os.urandom(500)),
    "another encoding": lambda path: path.write_bytes("width,label\n1,是\n".encode("gbk")),
}


def taken(place: Path, source: Callable[[Path], Any], options: dict[str, Any]) -> list[str]:
    load(source(place), target="label", **options)
    return []


def bytes_of_a_workbook(place: Path, at: int) -> Path:
    """A workbook in which one byte is another, or that is cut off there."""
    path = write_workbook(place / "t.xlsx", {"one": [["width", "label"], *[[n * 0.5, n % 2] for n in range(40)]]})
    content = bytearray(path.read_bytes())
    place_in = at * len(content) // 40
    content[place_in] ^= 0x55
    path.write_bytes(content[:place_in] if at % 2 else content)
    return path


def cases() -> Iterator[Case]:
    for name, value in VALUES.items():
        yield Case(FAMILY, f"a cell: {name}", lambda place, value=value: taken(place, lambda p: lines(p, value), {}))
    for name, text in WHOLE.items():
        yield Case(FAMILY, f"a file: {name}", lambda place, text=text: taken(place, lambda p: whole(p, text), {}))
    for name, spoil in SPOILT.items():
        yield Case(FAMILY, f"by a pattern: {name}", lambda p, spoil=spoil: taken(p, lambda q: pattern(q, spoil), {}))
    for options in ASKED:
        yield Case(FAMILY, f"asked: {options}", lambda p, options=options: taken(p, lambda q: lines(q, '"a"'), options))
    for at in range(40):
        yield Case(
            FAMILY, f"a workbook, byte {at}", lambda p, at=at: taken(p, lambda q: bytes_of_a_workbook(q, at), {})
        )
