"""Logs as CSV: Lightning's metrics.csv, Keras' CSVLogger, and any table with a column of steps or epochs."""

import csv
import io
from pathlib import Path

from danlu.base.errors import Fault, Faults, fail
from danlu.base.input_files import read_file
from danlu.base.text_encoding import decode
from danlu.store.foreign.series import Point

_STEPS = ("step", "global_step", "iteration", "iter", "batch", "steps", "train_steps")
_EPOCHS = ("epoch", "epochs")
_TIMES = ("wall time", "wall_time", "timestamp")
_MOST_FAULTS = 10
_LONGEST_HEADER = 2**16


def is_csv_log(path: Path) -> bool:
    """Whether the first line of a file names a column of steps or epochs."""
    try:
        with path.open("rb") as file:
            head = file.readline(_LONGEST_HEADER)
    except OSError:
        return False
    names = [name.strip().strip('"\ufeff').lower() for name in head.decode("utf-8", "replace").split(",")]
    return any(name in (*_STEPS, *_EPOCHS) for name in names) and len(names) > 1


def read_csv_log(path: Path) -> tuple[dict[str, list[Point]], list[Fault]]:
    """The series by column, and remarks. UserError, with the lines, for a table that is none of these or is damaged."""
    text = decode(read_file(path), path).text
    try:
        lines = [(at, row) for at, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1) if row]
    except csv.Error as error:
        fail("imported.csv-damaged", path=path, reason=error)
    if not lines:
        fail("imported.empty", path=path)
    names = [name.strip() for name in lines[0][1]]
    lower = [name.lower() for name in names]
    step = next((lower.index(name) for name in _STEPS if name in lower), None)
    epoch = next((lower.index(name) for name in _EPOCHS if name in lower), None)
    if step is None and epoch is None:
        fail("imported.no-steps", path=path, names=", ".join(names)[:200], wanted=", ".join((*_STEPS, *_EPOCHS)))
    if len(set(names)) < len(names):
        fail("imported.columns-twice", path=path)
    time = next((lower.index(name) for name in _TIMES if name in lower), None)
    return _series(path, names, lines[1:], (step, epoch, time))


def _series(
    path: Path, names: list[str], lines: list[tuple[int, list[str]]], places: tuple[int | None, int | None, int | None]
) -> tuple[dict[str, list[Point]], list[Fault]]:
    step, epoch, time = places
    faults = Faults()
    others = [place for place in range(len(names)) if place not in places]
    words = [
        place
        for place in others
        if not any(_number(row[place]) is not None for _, row in lines if place < len(row))
        and any(row[place].strip() for _, row in lines if place < len(row))
    ]
    found: dict[str, list[Point]] = {}
    for at, row in lines:
        if len(faults) >= _MOST_FAULTS:
            break
        if len(row) != len(names):
            faults.add("imported.csv-cells", path=path, line=at, found=len(row), wanted=len(names))
            continue
        first, second = (None if place is None else _number(row[place]) for place in (step, epoch))
        where = _whole(second if step is None or first is None else first)
        if where is None:
            faults.add("imported.csv-no-step", path=path, line=at)
            continue
        when = None if time is None else _number(row[time])
        for place in others:
            if place in words or not row[place].strip():
                continue
            value = _number(row[place])
            if value is None:
                faults.add("imported.csv-no-number", path=path, line=at, column=names[place], found=row[place][:40])
            else:
                found.setdefault(names[place], []).append(Point(where, value, when, _whole(second)))
    faults.raise_if_any()
    if not found:
        fail("imported.no-numbers", path=path)
    left = ", ".join(names[place] for place in words)
    return found, [Fault("imported.columns-left", {"path": path, "names": left})] if words else []


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value < 2**53 and value == int(value) else None
