"""Numbers and dates as people write them, one by one and as whole columns."""

import polars
import pytest

from danlu.data.table.columns import Column, Sheet
from danlu.data.table.dates import fit_dates, parse_date
from danlu.data.table.frames import sheet_of
from danlu.data.table.infer import column_from_text, interpret
from danlu.data.table.spelling import parse_number


@pytest.mark.parametrize(
    ("text", "spelling", "value"),
    [
        ("$1,234", "1,234.56", 1234),
        ("-$1,234.50", "1,234.56", -1234.5),
        ("($1,234)", "1,234.56", -1234),
        ("￥3", "1234.56", 3),
        ("3元", "1234.56", 3),
        ("45%", "1234.56", 45),
        ("1.234,56", "1.234,56", 1234.56),
        ("0,5", "1.234,56", 0.5),
        ("1 234,5", "1 234,56", 1234.5),
        ("1\u00a0234", "1 234.56", 1234),
        ("1'234.5", "1'234.56", 1234.5),
        ("３．１４", "1234.56", 3.14),
        ("−5", "1234.56", -5),
        ("007", "1234.56", 7),
        ("1e-3", "1234.56", 0.001),
        ("0,123", "1,234.56", None),
        ("1,23", "1,234.56", None),
        ("12,3456", "1,234.56", None),
        ("abc7", "1234.56", None),
        ("(5", "1234.56", None),
        ("", "1234.56", None),
        ("5 kg", "1234.56", None),
    ],
)
def test_a_cell_is_a_number_in_its_spelling(text: str, spelling: str, value: float | None) -> None:
    read = parse_number(text, spelling)
    assert (None if read is None else read.value) == value


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("1970-01-02", "y-m-d", 1.0),
        ("1970/1/2", "y-m-d", 1.0),
        ("1970.01.02", "y-m-d", 1.0),
        ("1970年1月2日", "y-m-d", 1.0),
        ("1970年1月", "y-m-d", 0.0),
        ("1970-01-02T12:00:00+12:00", "y-m-d", 1.0),
        ("1970-01-02 06:00 PM", "y-m-d", 1.75),
        ("02/01/1970", "d/m/y", 1.0),
        ("01/02/70", "m/d/y", 1.0),
        ("2 Jan 1970", "y-m-d", 1.0),
        ("January 2, 1970", "y-m-d", 1.0),
        ("31/02/1970", "d/m/y", None),
        ("1970-13-01", "y-m-d", None),
        ("12", "y-m-d", None),
    ],
)
def test_a_cell_is_a_date_in_its_order(text: str, order: str, day: float | None) -> None:
    assert parse_date(text, order) == day


def test_the_order_of_day_and_month_is_decided_by_evidence() -> None:
    assert (fit_dates(["01/02/2020", "13/02/2020"]).order, fit_dates(["01/02/2020", "01/13/2020"]).order) == (
        "d/m/y",
        "m/d/y",
    )
    unsure = fit_dates(["01/02/2020", "01/03/2020", "01/01/2021"])
    assert unsure.open
    assert fit_dates(["05/02/2020", "03/04/2020"], prefer="d/m/y").order == "d/m/y"
    assert fit_dates(["01/02/2020", "05/01/2020", "05/03/2020"]).order == "m/d/y", "only so do the rows go on in time"


def read(cells: list[str | None]) -> Column:
    return column_from_text(polars.Series(cells, dtype=polars.String), "x")


PLAIN: list[str | None] = [str(n) for n in range(10, 30)]


@pytest.mark.parametrize(
    ("cells", "kind", "told"),
    [
        ([*PLAIN, "007"], "integer", ["numbers-read"]),
        ([*PLAIN, "$5"], "integer", ["numbers-read"]),
        ([*PLAIN, "３"], "integer", ["numbers-read"]),
        ([*PLAIN, "3,14"], "number", ["numbers-read"]),
        ([*PLAIN, "abc"], "integer", ["odd-cells"]),
        ([*PLAIN, "5%"], "integer", ["odd-cells"]),
        ([*PLAIN, "2024-01-05"], "integer", ["odd-cells"]),
        ([*PLAIN, "无"], "integer", []),
        (["$1", "€2"] * 5, "text", ["two-ways"]),
        (["1", "2", "x", "y"], "text", ["mixed-text"]),
        (["00001", "00002", "10003"], "text", ["padded-codes"]),
        (["1,234", "2,345"], "integer", ["numbers-open"]),
        (["1,234", "2,345.5"], "number", ["numbers-read"]),
        (["1,5", "2,345"], "number", ["numbers-read"]),
        (["13/01/2020", "02/01/2020"], "date", ["dates-read"]),
        (["2024年3月1日", "2024年3月12日"], "date", []),
    ],
)
def test_a_column_is_read_or_told(cells: list[str | None], kind: str, told: list[str]) -> None:
    column = read(cells)
    assert column.kind == kind
    assert [remark.id.removeprefix("data.") for remark in column.remarks] == told


def test_an_odd_cell_is_missing_and_named_with_its_place() -> None:
    column = read([*PLAIN, "abc"])
    assert column.missing.tolist() == [False] * 20 + [True]
    assert str(column.remarks[0]).startswith('Column "x": 1 of its cells are not numbers or dates like the other 20')
    assert '"abc" in row 21' in str(column.remarks[0])


def test_a_column_that_leaves_its_spelling_open_follows_the_rest_of_the_file() -> None:
    columns = {"a": ["1.234", "5.678"], "b": ["0,5", "12,75"]}
    series = {name: polars.Series(name, cells) for name, cells in columns.items()}
    german = interpret(Sheet(series, "t.csv", semicolons=True))
    assert german["a"].values.tolist() == [1234.0, 5678.0]
    assert german["b"].values.tolist() == [0.5, 12.75]
    alone = interpret(Sheet({"a": series["a"]}, "t.csv"))
    assert alone["a"].values.tolist() == [1.234, 5.678]


def test_whole_numbers_beyond_floats_stay_apart() -> None:
    for column in (read([str(2**60), str(2**60 + 1)]), interpret(sheet_of({"x": [2**60, 2**60 + 1]}))["x"]):
        assert (column.values + 0).tolist() == [0.0, 1.0]
        assert column.offset == 2**60
