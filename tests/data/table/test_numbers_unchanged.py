"""The numbers that reach the net are the numbers in the file, or a note names the column."""

import math
import tempfile
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from danlu.base.errors import UserError
from danlu.data import Dataset, load

CPU = torch.device("cpu")
Writer = Callable[[float], str]
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


def by_thousands(sign: str, decimal: str = ".") -> Writer:
    """1234567.5 with `sign` between the thousands."""

    def write(number: float) -> str:
        whole, _, rest = plain(abs(number)).partition(".")
        return f"{'-' if number < 0 else ''}{int(whole):,}".replace(",", sign) + (f"{decimal}{rest}" if rest else "")

    return write


WRITERS: dict[str, Writer] = {
    "plain": plain,
    "comma": comma,
    "grouped": grouped,
    "money": money,
    "full-width": full_width,
    "percent": lambda number: f"{plain(number)}%",
    "percent behind a blank": lambda number: f"{plain(number)} %",
    "full-width percent": lambda number: f"{full_width(number)}％",
    "euros behind": lambda number: f"{by_thousands('.', ',')(number)} €",
    "yuan before": lambda number: f"¥{by_thousands(',')(number)}",
    "yuan in words": lambda number: f"{by_thousands(',')(number)}元",
    "dollars by name": lambda number: f"USD {plain(number)}",
    "loss in brackets": lambda number: f"({plain(-number)})" if number < 0 else plain(number),
    "blanks": by_thousands(" "),
    "no-break blanks": by_thousands("\u00a0", ","),
    "narrow blanks": by_thousands("\u202f", ","),
    "apostrophes": by_thousands("'"),
    "typographic apostrophes": by_thousands("’"),
    "scientific": lambda number: f"{number:.9e}",
    "scientific in capitals": lambda number: f"{number:.9E}",
    "scientific with a comma": lambda number: f"{number:.9e}".replace(".", ","),
    "typographic minus": lambda number: plain(number).replace("-", "−"),
    "a plus": lambda number: f"{'' if number < 0 else '+'}{plain(number)}",
    "minus behind": lambda number: f"{plain(abs(number))}{'-' if number < 0 else ''}",
}
ODD = st.sampled_from(["007", "$5", "3,14", "2024-01-05", "abc", "５", "1e3", "--", "n/a", "无", "9" * 20, "1.234,5"])


# What only tells how all cells were read: these are read right, or another note says otherwise.
HOW = ("data.numbers-read", "data.dates-read")


def loaded(cells: list[str], separator: str) -> tuple[Dataset, Tensor]:
    """The column "x" with these cells as danlu loads it, and its rows as they reach the net."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        rows = [f'"{cell}"{separator}{"ab"[row % 2]}{separator}{row % 3}.5' for row, cell in enumerate(cells)]
        path.write_text("\n".join([f"x{separator}y{separator}z", *rows]) + "\n", encoding="utf-8")
        data = load(path, target="y", validation=0, test=0, standardise=False)
    return data, next(data.batches("train", len(cells), device=CPU))[0]


def read(cells: list[str], separator: str, passed: Collection[str] = HOW) -> tuple[Any, set[str]]:
    """What danlu makes of the column "x", and of what columns its notes speak, but for those that are `passed`."""
    data, batch = loaded(cells, separator)
    names = data.facts()["features"]
    noted = {str(note.values.get("column")) for note in data.notes if note.id not in passed}
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


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(10, 99), min_size=12, max_size=30), ODD, st.integers(0, 11))
def test_of_a_column_with_one_odd_cell(numbers: list[int], odd: str, place: int) -> None:
    cells: list[str] = [str(number) for number in numbers]
    cells[place] = odd
    found, noted = read(cells, ",", ())
    if "x" not in noted:  # it was a number as any other
        assert found is not None
        assert found[place] == float(odd)
    if found is not None:
        kept = [got == number for row, (number, got) in enumerate(zip(numbers, found, strict=True)) if row != place]
        assert all(kept)


def same(number: float, got: float) -> bool:
    return math.isclose(number, got, rel_tol=1e-6, abs_tol=1e-6)


EXACT_WRITERS = sorted(WRITERS.keys() - {"money", "minus behind"})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(NUMBERS, min_size=6, max_size=20),
    st.sampled_from(EXACT_WRITERS),
    st.sampled_from(EXACT_WRITERS),
    st.sampled_from(",;"),
)
def test_of_a_column_in_two_spellings(numbers: list[float], one: str, other: str, separator: str) -> None:
    cells = [WRITERS[one if row % 2 else other](number) for row, number in enumerate(numbers)]
    found, noted = read(cells, separator)
    right = found is not None and all(same(number, got) for number, got in zip(numbers, found, strict=True))
    assert right or "x" in noted


WHENS = st.datetimes(datetime(1902, 1, 1), datetime(2068, 12, 31))  # noqa: DTZ001, the cells have no zone
DATES = {
    "iso": "%Y-%m-%d",
    "slashes": "%Y/%m/%d",
    "points": "%Y.%m.%d",
    "Chinese": "%Y年%m月%d日",
    "day first": "%d/%m/%Y",
    "day first, points": "%d.%m.%Y",
    "day first, lines": "%d-%m-%Y",
    "month first": "%m/%d/%Y",
    "named": "%d %B %Y",
    "named short": "%d-%b-%Y",
    "named first": "%B %d, %Y",
    "with a time": "%Y-%m-%d %H:%M:%S",
    "with T": "%Y-%m-%dT%H:%M",
    "with Z": "%Y-%m-%dT%H:%M:%SZ",
    "twelve hours": "%m/%d/%Y %I:%M %p",
    "Chinese with a time": "%Y年%m月%d日 %H时%M分%S秒",
}


@settings(max_examples=50, deadline=None)
@given(st.lists(WHENS, min_size=6, max_size=20), st.sampled_from(sorted(DATES)))
def test_of_dates_in_any_order(whens: list[datetime], form: str) -> None:
    found, noted = read([f"{when:{DATES[form]}}" for when in whens], ",")
    days = [
        (datetime.strptime(f"{when:{DATES[form]}}", DATES[form]) - datetime(1970, 1, 1)) / timedelta(days=1)  # noqa: DTZ001, DTZ007
        for when in whens
    ]
    right = found is not None and all(abs(day - got) < 0.01 for day, got in zip(days, found, strict=True))
    assert right or "x" in noted


SWITCHES = [
    ("true", "false"), ("TRUE", "FALSE"), ("True", "False"), ("yes", "no"), ("Yes", "No"), ("on", "off"), ("Y", "N"),
    ("T", "F"), ("是", "否"), ("真", "假"), ("有", "无"), ("对", "错"), ("√", "×"), ("开", "关"), ("男", "女"),
    ("１", "０"),
]  # fmt: skip


@pytest.mark.parametrize("words", SWITCHES, ids="-".join)
@pytest.mark.parametrize("gap", ["", "N/A"])
def test_of_words_for_on_and_off(words: tuple[str, str], gap: str) -> None:
    """Both are told apart in every row, and neither is taken for a gap."""
    said = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0]
    cells = [words[1 - on] for on in said]
    data, batch = loaded([*cells, gap] if gap else cells, ",")
    names = data.facts()["features"]
    imputed = [note.values["count"] for note in data.notes if note.id == "data.imputed"]
    assert imputed in ([], [1] if gap else [])
    rows = batch[: len(cells)].tolist()
    if "x" in names:
        assert [row[names.index("x")] for row in rows] == said
    else:
        assert [row[names.index(f"x = {words[0]}")] for row in rows] == said
        assert [row[names.index(f"x = {words[1]}")] for row in rows] == [1 - on for on in said]


@pytest.mark.parametrize("cell", ["10²", "5½", "x₂", "1⁄2"])
def test_signs_above_the_line_are_no_digits(cell: str) -> None:
    found, _ = read([cell, *(str(number) for number in range(20, 35))], ",")
    assert found is None or not found[0] > 35


ARRAYS = st.sampled_from(
    ["int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64", "longdouble", "complex64", "bool"]
)


@settings(max_examples=40, deadline=None)
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
