"""What a column of text is taken for."""

import numpy
import polars
import pytest

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
