"""The numbers that reach the net are the numbers in the file, or a note names the column."""

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.data import load

CPU = torch.device("cpu")
NUMBERS = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6).map(lambda number: round(number, 4)))


def plain(number: float) -> str:
    return format(number, "f").rstrip("0").rstrip(".") if isinstance(number, float) else str(number)


def comma(number: float) -> str:
    return plain(number).replace(".", ",")


def grouped(number: float) -> str:
    return f"{number:,}"


def money(number: float) -> str:
    return f"{'-' if number < 0 else ''}${abs(number):,.2f}"


def full_width(number: float) -> str:
    return plain(number).translate({ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789.-"})


WRITERS = {"plain": plain, "comma": comma, "grouped": grouped, "money": money, "full-width": full_width}
ODD = st.sampled_from(["007", "$5", "3,14", "2024-01-05", "abc", "５", "1e3", "--", "n/a", "无", "9" * 20, "1.234,5"])


def read(cells: list[str], separator: str) -> tuple[Any, set[str]]:
    """What danlu makes of the column "x", and of what columns its notes speak."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        rows = [f'"{cell}"{separator}{"ab"[row % 2]}{separator}{row % 3}.5' for row, cell in enumerate(cells)]
        path.write_text("\n".join([f"x{separator}y{separator}z", *rows]) + "\n")
        data = load(path, target="y", validation=0, test=0, standardise=False)
    batch, _ = next(data.batches("train", len(cells), device=CPU))
    names = data.facts()["features"]
    noted = {str(note.values.get("column")) for note in data.notes}
    if "x" not in names:
        return None, noted
    taken = sum(note.values["offset"] for note in data.notes if note.id == "data.offset")
    return (batch[:, names.index("x")] + taken).tolist(), noted


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS, min_size=6, max_size=30), st.sampled_from(sorted(WRITERS)), st.sampled_from(",;\t"))
def test_of_a_column_in_any_spelling(numbers: list[float], writer: str, separator: str) -> None:
    cells = [WRITERS[writer](number) for number in numbers]
    found, noted = read(cells, separator)
    digits = 2 if writer == "money" else 4
    same = found is not None and all(
        math.isclose(round(number, digits), got, rel_tol=1e-6, abs_tol=0.006 if digits == 2 else 1e-6)
        for number, got in zip(numbers, found, strict=True)
    )
    assert same or "x" in noted


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(10, 99), min_size=12, max_size=30), ODD, st.integers(0, 11))
def test_of_a_column_with_one_odd_cell(numbers: list[int], odd: str, place: int) -> None:
    cells: list[str] = [str(number) for number in numbers]
    cells[place] = odd
    found, noted = read(cells, ",")
    assert "x" in noted
    if found is not None:
        kept = [got == number for row, (number, got) in enumerate(zip(numbers, found, strict=True)) if row != place]
        assert all(kept)


ARRAYS = st.sampled_from(
    ["int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64", "longdouble", "complex64", "bool"]
)


@settings(max_examples=80, deadline=None)
@given(
    ARRAYS,
    st.lists(st.integers(0, 2**63).map(lambda n: n if n % 3 else n % 100), min_size=6, max_size=20),
    st.booleans(),
)
def test_of_an_array_of_any_type(kind: str, numbers: list[int], masked: bool) -> None:
    if kind not in ("int64", "uint64", "float64", "longdouble"):
        numbers = [number % 100 for number in numbers]
    numbers = [min(number, 2**63 - 1) for number in numbers]
    x: Any = numpy.array(numbers, dtype=kind).reshape(-1, 1)
    if masked:
        x = numpy.ma.masked_array(x, mask=x == x[0])
    try:
        data = load((x, [row % 2 for row in range(len(numbers))]), validation=0, test=0, standardise=False)
    except UserError:
        return
    assert not masked
    got, _ = next(data.batches("train", len(numbers), device=CPU, dtype=torch.float64))
    wanted = x.astype("float64")[:, 0].tolist()
    assert [int(number) if number == number // 1 else number for number in wanted] == got[:, 0].tolist()
    assert data.facts()["sizes"]["train"] == len(numbers)
