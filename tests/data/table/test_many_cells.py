"""A column seen block by block is taken for what it is taken for in memory, and read into the same values."""

from collections.abc import Callable

import numpy
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.errors import Fault
from danlu.data.table import many_cells
from danlu.data.table.cells import CellsInMemory, stripped
from danlu.data.table.infer import Guess, readings
from danlu.data.table.many_cells import ManyCells

MISSING = ("", "NA", " ", "?")
KINDS: dict[str, Callable[[int], str]] = {
    "whole": lambda n: str(n * 7 - 50),
    "long": lambda n: str(2**60 + n),
    "zeros": lambda n: f"{n:05}",
    "uneven zeros": lambda n: f"0{n}",
    "fractions": lambda n: f"{n / 7:.3f}",
    "exponents": lambda n: f"{n / 7:.2e}",
    "thousands or decimals": lambda n: f"{n + 1}.{n % 900 + 100}",
    "thousands": lambda n: f"{n % 9 + 1},{n % 900 + 100}.5",
    "comma": lambda n: f"{n},{n % 10}5",
    "money": lambda n: f"${n}.25",
    "percent": lambda n: f"{n}%",
    "two currencies": lambda n: f"{'$€'[n % 2]}{n}",
    "switches": lambda n: str(n % 2 == 0),
    "dates": lambda n: f"20{n % 30 + 10}-0{n % 9 + 1}-1{n % 10}",
    "times": lambda n: f"2021-03-04 0{n % 10}:{n % 60:02}:30",
    "days first": lambda n: f"{n % 28 + 1}/{n % 12 + 1}/2021",
    "no dates": lambda n: f"2021-02-{n % 9 + 25}",
    "words": lambda n: f"word {n % 5}",
    "names": lambda n: f"name {n}",
    "full width": lambda n: "".join(chr(ord(sign) + 0xFEE0) for sign in str(n)),
    "unknown": lambda n: "unknown",
}  # fmt: skip


def place(row: int) -> Fault:
    return Fault("data.at-row", {"row": row + 1})


def told(found: Guess) -> list[str]:
    return [str(remark) for remark in found.reading.remarks]


def both(columns: dict[str, list[str | None]], block: int, *, semicolons: bool = False) -> None:
    """Assert that the columns are the same in memory and block by block, or that one is refused there."""
    texts = {name: stripped(polars.Series(name, cells, dtype=polars.String)) for name, cells in columns.items()}
    many = {name: ManyCells() for name in texts}
    for name, series in texts.items():
        for first in range(0, len(series), block):
            many[name].add(series[first : first + block])
    whole = readings(
        {name: CellsInMemory(one) for name, one in texts.items()}, place, semicolons=semicolons, typed=False
    )
    pieces = readings(many, place, semicolons=semicolons, typed=False)
    for name, series in texts.items():
        one, other = whole[name], pieces[name]
        if other.refused:
            continue
        assert (one.reading, told(one)) == (other.reading, told(other)), name
        blocks = [series[first : first + block] for first in range(0, len(series), block)]
        read = [other.reading.read(piece) for piece in blocks]
        numpy.testing.assert_array_equal(one.reading.read(series), numpy.concatenate(read))


cells = st.lists(
    st.tuples(st.sampled_from([*KINDS]), st.integers(0, 400)).map(lambda one: KINDS[one[0]](one[1]))
    | st.sampled_from(MISSING),
    min_size=1,
    max_size=40,
)


def of_kind(kind: str) -> st.SearchStrategy[list[str | None]]:
    """A column of one kind, with a few cells of others."""
    own = st.integers(0, 400).map(KINDS[kind])
    odd = st.sampled_from(
        ["unknown", "n.a.", "12", "1,5", "1.234", "€3", "7%", "1/2/2021", "2021-01-01", "x", "", "NA"]
    )
    return st.tuples(st.lists(own, min_size=10, max_size=60), st.lists(odd, max_size=6), st.randoms()).map(
        lambda one: _shuffled([*one[0], *one[1]], one[2])
    )


def _shuffled(cells: list[str], random: object) -> list[str | None]:
    random.shuffle(cells)  # type: ignore[attr-defined]  # pyright: ignore
    return [*cells]


@pytest.mark.every(3)
@pytest.mark.parametrize("limit", [2, 8, 10_000])
@settings(max_examples=50, deadline=None)
@given(
    columns=st.lists(st.sampled_from([*KINDS]).flatmap(of_kind) | cells, min_size=1, max_size=3),
    block=st.integers(1, 50),
    semicolons=st.booleans(),
)
def test_a_column_is_taken_for_the_same(
    limit: int, columns: list[list[str | None]], block: int, semicolons: bool
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(many_cells, "MOST_REGULAR", limit)
        patched.setattr(many_cells, "MOST_OTHERS", max(200, limit))
        both({str(place): one for place, one in enumerate(columns)}, block, semicolons=semicolons)


MANY: dict[str, tuple[str, ...]] = {
    "whole": (), "long": (), "fractions": (), "exponents": (), "times": (), "names": (), "zeros": (),
}  # fmt: skip


@pytest.mark.every(4)
@pytest.mark.parametrize("odd", [(), ("unknown",), ("unknown", "nothing"), ("nothing", "1,234"), ("$5", "n.a.")])
@pytest.mark.parametrize("kind", MANY)
def test_many_different_cells_are_told_by_some_of_them(
    kind: str, odd: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_cells, "MOST_REGULAR", 20)
    monkeypatch.setattr(many_cells, "MOST_OTHERS", 300)
    column: list[str | None] = [KINDS[kind](n) for n in range(1000)]
    for n, text in enumerate(odd):
        column[300 + 40 * n] = text
    both({"a": column}, 90)


def test_what_cannot_be_told_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_cells, "MOST_OTHERS", 250)
    found = ManyCells()
    found.add(polars.Series([KINDS["comma"](n) for n in range(1000)]))
    guess = readings({"a": found}, place, semicolons=False, typed=False)["a"]
    assert guess.refused is not None and guess.refused.id == "large.too-varied"
    assert "0,05" in str(guess.refused)
