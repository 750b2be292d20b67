"""What a column of text is taken for."""

from random import Random

import numpy
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.data.table.infer import column_from_text


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "-3", "NA"], "integer"),
        (["1", "2.5", "1e3", ""], "number"),
        (["0", "0.5", "10"], "number"),
        (["00001", "00002"], "text"),
        (["+86", "-04"], "text"),
        (["true", "False", None], "boolean"),
        (["2020-01-31", "?"], "date"),
        (["2020/01/31 10:30", "2020/02/01 11:00:00.5Z"], "date"),
        (["1949-01", "1949-02"], "date"),
        (["2020-13-01", "2020-01-02"], "text"),
        (["2020-01-01", "yesterday"], "text"),
        (["a", "1"], "text"),
        (["", "NA", "null", "nan", "?", None], "text"),
    ],
)
def test_the_kind_is_read_from_the_cells(cells: list[str | None], kind: str) -> None:
    column = column_from_text(polars.Series(cells, dtype=polars.String))
    assert column.kind == kind
    gaps = [cell is None or cell in ("", "NA", "null", "nan", "?") for cell in cells]
    assert column.missing.tolist() == gaps


def test_dates_become_days_and_booleans_numbers() -> None:
    days = column_from_text(polars.Series(["1970-01-02", "1970-01-01T12:00", None])).values
    assert numpy.array_equal(days, [1.0, 0.5, numpy.nan], equal_nan=True)
    flags = column_from_text(polars.Series(["TRUE", "false", None])).values
    assert numpy.array_equal(flags, [1.0, 0.0, numpy.nan], equal_nan=True)


def test_spaces_around_a_value_do_not_count() -> None:
    assert column_from_text(polars.Series([" 1", "2 ", " "])).kind == "integer"


WRITTEN = [
    "1,5", "1.5", "1.234", "1,234", "1.234.567", "1,234,567", "1 234", "1 234,5", "1'234", "1.234,5", "1,234.5", "5%",
    "€5", "$5", "2021-03-04", "04/03/2021", "3/25/2021", "-", "n/a", "x", "1e3", "007", "5",
]  # fmt: skip


@given(st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=4), st.sampled_from([0, 3, 300]), st.randoms())
@settings(max_examples=200, deadline=None)
def test_any_ways_of_writing_beside_each_other_are_read(odd: list[str], plain: int, random: Random) -> None:
    cells = [*odd, *(["5", "7", "300"] * plain)[:plain]]
    random.shuffle(cells)
    column = column_from_text(polars.Series(cells))
    assert len(column.values) == len(cells)
    if column.kind in ("number", "integer"):  # what is no number is said
        gone = [cell for cell, missing in zip(cells, column.missing.tolist(), strict=True) if missing]
        lost = [cell for cell in gone if cell not in ("-", "n/a")]
        assert not lost or any(remark.id == "data.odd-cells" for remark in column.remarks)


@pytest.mark.parametrize("cells", [["1.234.567", "1,234,567"], ["1.234,5", "1,234.5"]])
def test_numbers_in_two_notations_are_told(cells: list[str], language: str) -> None:
    column = column_from_text(polars.Series(cells * 30))
    assert column.kind == "text"
    assert all(cell in str(column.remarks[0]) for cell in cells)
