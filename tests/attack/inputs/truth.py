"""The oracle: whether what reaches the net is what the generator wrote, or a note names the column."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from danlu.data.dataset import Dataset

CPU = torch.device("cpu")
# Notes that tell how something was read, and excuse nothing.
HOW = (
    "numbers-read",
    "dates-read",
    "separator",
    "encoding-detected",
    "told-classification",
    "told-regression",
    "offset",
)
LIMIT = 2**18  # numbers of a data set that are looked at


@dataclass(frozen=True)
class Odd:
    """A cell that is neither plainly a number nor missing: whatever becomes of it, a note must name the column."""

    text: str


Cell = float | int | str | Odd | None


@dataclass(frozen=True)
class Table:
    """What a table holds: cells by column, and the labels or quantities to be predicted."""

    columns: Mapping[str, Sequence[Cell]]
    target: Sequence[Any]


@dataclass(frozen=True)
class Arrays:
    """Samples as numbers [N, …], of the shape in which they reach the net, and their targets."""

    x: Any
    y: Sequence[Any] | None = None


def whole(data: Dataset, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All samples of the training part, in their order."""
    batches = list(data.batches("train", count, device=CPU, dtype=torch.float64))
    return torch.cat([x for x, _ in batches]).detach(), torch.cat([y for _, y in batches]).detach()


def changes_in_table(data: Dataset, truth: Table) -> Iterator[str]:
    """What was changed unsaid in a table that was loaded without held-out parts, and not standardised."""
    rows = len(truth.target)
    if sum(data.sizes.values()) != rows:
        yield f"{rows} rows became {sum(data.sizes.values())}"
        return
    x, y = whole(data, rows)
    yield from changes_in_target(data, y, truth.target)
    features: list[str] = data.facts()["features"]
    for name, wanted in truth.columns.items():
        yield from _changes_in_column(data, x, features, name, wanted)


def changes_in_target(data: Dataset, y: torch.Tensor, wanted: Sequence[Any]) -> Iterator[str]:
    """Targets that are not decoded as they were given."""
    got: Any = data.decode(y)
    found = numpy.asarray(got).reshape(len(wanted), -1).tolist()
    rows = numpy.asarray(wanted, dtype=object).reshape(len(wanted), -1).tolist()
    for number, (found_row, wanted_row) in enumerate(zip(found, rows, strict=True)):
        for one, other in zip(found_row, wanted_row, strict=True):
            if not _alike(one, other):
                yield f"target {number}: {other!r} became {one!r}"
                return


def changes_in_arrays(data: Dataset, truth: Arrays) -> Iterator[str]:
    """What was changed unsaid in samples that were loaded without held-out parts, and not standardised."""
    wanted = numpy.asarray(truth.x)
    if sum(data.sizes.values()) != len(wanted):
        yield f"{len(wanted)} samples became {sum(data.sizes.values())}"
        return
    x, y = whole(data, len(wanted))
    told = {note.id for note in data.notes}
    got = x.numpy().reshape(len(wanted), -1)
    flat = wanted.reshape(len(wanted), -1).astype(numpy.float64)
    taken = _offsets(data)
    if got.shape != flat.shape:
        yield f"samples of shape {list(wanted.shape[1:])} became {list(x.shape[1:])}"
    elif not numpy.allclose(got + taken, flat, rtol=1e-6, atol=1e-9) and not told & {"data.array-offset"}:
        place = int(numpy.abs(got + taken - flat).argmax())
        yield f"{flat.ravel()[place]!r} became {got.ravel()[place]!r}"
    elif len(numpy.unique(got, axis=0)) < len(numpy.unique(wanted.reshape(len(wanted), -1), axis=0)) and not told:
        yield "samples that differ became the same"
    if truth.y is not None:
        yield from changes_in_target(data, y, truth.y)


def _offsets(data: Dataset) -> float:
    return float(sum(note.values.get("offset", 0) for note in data.notes if note.id == "data.offset"))


def _changes_in_column(
    data: Dataset, x: torch.Tensor, features: list[str], name: str, wanted: Sequence[Cell]
) -> Iterator[str]:
    notes = [note for note in data.notes if _names(note.values, name)]
    excused = [note for note in notes if note.id.removeprefix("data.") not in HOW]
    odd = any(isinstance(cell, Odd) for cell in wanted)
    if odd and not notes:
        yield f"column {name!r} has odd cells, and no note names it"
        return
    if name in features:
        offset = sum(note.values["offset"] for note in notes if note.id == "data.offset")
        got: list[float] = x[:, features.index(name)].tolist()
        moved = [cell - offset if isinstance(cell, int | float) else cell for cell in wanted]
        yield from _changed_numbers(name, got, moved, bool(excused))
    elif any(feature.startswith(f"{name} = ") for feature in features):
        yield from _changed_categories(x, features, name, wanted, bool(excused))
    elif not excused:
        yield f"column {name!r} is gone"


def _changed_numbers(name: str, got: list[float], wanted: Sequence[Cell], excused: bool) -> Iterator[str]:
    for number, (found, cell) in enumerate(zip(got, wanted, strict=True)):
        if isinstance(cell, Odd) or (cell is None and excused):
            continue
        if isinstance(cell, bool | int | float) and math.isclose(found, cell, rel_tol=1e-6, abs_tol=1e-9):
            continue
        yield f"column {name!r}, row {number}: {cell!r} became {found!r}"
        return
    numbers = [cell for cell in wanted if isinstance(cell, int | float)]
    if len(set(numbers)) > len(set(got)) and not excused:
        yield f"column {name!r}: {len(set(numbers))} different numbers became {len(set(got))}"


def _changed_categories(
    x: torch.Tensor, features: list[str], name: str, wanted: Sequence[Cell], excused: bool
) -> Iterator[str]:
    if any(isinstance(cell, int | float) for cell in wanted) and not excused:
        yield f"column {name!r}: numbers became categories"
        return
    places = {feature.removeprefix(f"{name} = "): features.index(feature) for feature in features if " = " in feature}
    for number, cell in enumerate(wanted):
        found = [value for value, place in places.items() if x[number, place] and f"{name} = {value}" in features]
        if isinstance(cell, str) and found != [cell.strip()]:
            yield f"column {name!r}, row {number}: {cell!r} became {found!r}"
            return


def _names(values: Mapping[str, Any], name: str) -> bool:
    for value in values.values():
        inner = getattr(value, "values", None)
        if isinstance(inner, dict) and _names(inner, name):
            return True
        if value == name or (isinstance(value, str) and name in value.split(", ")):
            return True
    return False


def _alike(one: Any, other: Any) -> bool:
    if other is None or (isinstance(other, float) and math.isnan(other)):
        return False
    if isinstance(one, float) or isinstance(other, float):
        try:
            return math.isclose(float(one), float(other), rel_tol=1e-6, abs_tol=1e-9)
        except (TypeError, ValueError):
            return False
    return str(one).strip() == str(other).strip()
