"""Excel workbooks: which sheet, which types, and what is refused, with and without the part that reads them."""

import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import polars
import pytest

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import read_table
from workbooks import Cell, write_workbook

NAMES: list[Cell] = ["zip", "size", "kind", "on", "gap", "price"]
ROWS: list[list[Cell]] = [
    [n % 7, n * n % 17 + 0.5, "ab"[n % 2], n % 3 == 0, None if n % 5 else "g", n * 1.5] for n in range(40)
]


class StandInSheet:
    """A sheet as fastexcel gives it."""

    def __init__(self, rows: list[list[Cell]], header_row: int | None, n_rows: int | None) -> None:
        names = [str(place) for place in range(len(rows[0]))] if rows else []
        body = rows[0 if header_row is None else header_row + 1 :][:n_rows]
        columns = zip(*body, strict=True) if body else [()] * len(names)
        self.columns = {name: list(values) for name, values in zip(names, columns, strict=True)}
        self.width = len(names)

    def to_polars(self) -> polars.DataFrame:
        return polars.DataFrame({name: polars.Series(values, strict=False) for name, values in self.columns.items()})


class StandInBook:
    def __init__(self, sheets: dict[str, list[list[Cell]]]) -> None:
        self.sheets, self.sheet_names = sheets, list(sheets)

    def load_sheet(self, name: str, header_row: int | None = 0, n_rows: int | None = None, **_: Any) -> StandInSheet:
        return StandInSheet(self.sheets[name], header_row, n_rows)


SHEETS: dict[str, list[list[Cell]]] = {"notes": [], "houses": [NAMES, *ROWS], "more": [["a"], [1.0]]}


@pytest.fixture(params=["stand-in", "fastexcel"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Once with a stand-in for fastexcel, once with itself where it is installed."""
    if request.param == "stand-in":
        module = types.ModuleType("fastexcel")
        module.read_excel = lambda content: StandInBook(SHEETS)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fastexcel", module)
    else:
        pytest.importorskip("fastexcel", reason="fastexcel is not installed: pip install 'danlu[excel]'")
    return str(request.param)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_workbook(tmp_path / "houses.xlsx", SHEETS)


def test_the_first_sheet_with_something_in_it_is_read_and_told(book: Path, reader: str) -> None:
    sheet = read_table(book)
    assert list(sheet.columns) == NAMES
    assert [note.id for note in sheet.notes] == ["tables.sheet-first"]
    assert "more" in str(sheet.notes[0])
    assert sheet.columns["zip"].dtype == polars.Int64
    assert sheet.columns["size"].dtype == polars.Float64
    assert sheet.columns["on"].dtype == polars.Boolean
    assert sheet.columns["gap"].null_count() == 32
    assert sheet.place(0).values == {"line": 2}


@pytest.mark.parametrize("wanted", ["houses", "2", 2])
def test_a_sheet_by_name_and_number(book: Path, reader: str, wanted: str | int) -> None:
    data = load(book, target="price", sheet=wanted)
    assert data.sizes == {"train": 28, "validation": 4, "test": 8}
    assert data.task == "regression"
    assert data.recipe is not None
    assert data.recipe.sheet == str(wanted)


def test_a_sheet_that_there_is_not_is_refused(book: Path, reader: str) -> None:
    with pytest.raises(UserError, match=r'no sheet "huoses".*notes, houses, more\. Did you mean "houses"'):
        load(book, target="price", sheet="huoses")
    with pytest.raises(UserError, match="no rows of data"):
        read_table(book, FileOptions(sheet="notes"))


def test_a_sheet_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r'data\.sheet = "x" is for Excel workbooks'):
        load(tmp_path / "a.csv", target="b", sheet="x")


def test_without_fastexcel_the_extra_is_named(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(UserError, match=r"needs fastexcel.*danlu\[excel\]"):
        read_table(book)


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", b"a,b\n1,2\n", b"PK\x03\x04cut off"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "old.xlsx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not an Excel workbook of the kind \.xlsx"):
        read_table(path)


def test_a_workbook_that_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(100 * 2**20))
    with pytest.raises(UserError, match=r"bomb\.xlsx"):
        read_table(path)


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel", reason="fastexcel is not installed: pip install 'danlu[excel]'")
    path = tmp_path / "odd.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    with pytest.raises(UserError, match="the workbook is damaged"):
        read_table(path)


def test_blank_rows_and_nameless_columns_are_left_out(tmp_path: Path) -> None:
    pytest.importorskip("fastexcel", reason="fastexcel is not installed: pip install 'danlu[excel]'")
    rows: list[list[Cell]] = [["a", "b"], [1.0, "x"], [None, None], [2.5, " y "]]
    sheet = read_table(write_workbook(tmp_path / "a.xlsx", {"s": rows}))
    assert {name: one.to_list() for name, one in sheet.columns.items()} == {"a": [1.0, 2.5], "b": ["x", "y"]}
    assert sheet.place(1).values == {"line": 4}
    assert [note.id for note in sheet.notes] == ["data.blank-rows"]
