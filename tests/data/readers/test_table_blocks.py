"""A table read block by block is the table read at once: rows, lines, complaints."""

from pathlib import Path

import numpy
import polars
import pytest

from danlu.base.errors import UserError
from danlu.data.readers import table_blocks
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_blocks import read_table_blocks
from danlu.data.readers.table_file import read_table

PLAIN = "a,b,c\n" + "".join(f"{row},x{row},{row / 7}\n" for row in range(200))
CASES = {
    "plain": PLAIN,
    "crlf": PLAIN.replace("\n", "\r\n"),
    "semicolons": PLAIN.replace(",", ";"),
    "byte order mark": "\ufeff" + PLAIN,
    "lines in quotes": "a,b,c\n" + "".join(f'{row},"one\ntwo, {row}",{row}\n' for row in range(100)),
    "blank lines": "\n\n" + PLAIN.replace("\n100,", "\n\n,,\n100,"),
    "no end": PLAIN.rstrip("\n"),
    "umlauts": PLAIN.replace("x", "ü"),
    "latin": PLAIN.replace("x", "\udcfc"),
    "names in two lines": PLAIN.replace("b", '"b\nb"', 1),
    "blanks between": PLAIN.replace(",", " "),
    "gaps": PLAIN.replace("x1", ""),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("size", [64, 500, 10**6])
@pytest.mark.parametrize("name", CASES)
def test_blocks_are_the_whole(name: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(CASES[name].encode(errors="surrogateescape"))
    whole = read_table(path)
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", size)
    blocks = list(read_table_blocks(path))
    assert len(blocks) > 1 or size > 64 or name in ("latin", "names in two lines", "blanks between")
    for column, series in whole.columns.items():
        assert polars.concat([block.columns[column] for block in blocks]).to_list() == series.to_list()
    lines = [block.lines for block in blocks if block.lines is not None]
    assert whole.lines is not None and numpy.concatenate(lines).tolist() == whole.lines.tolist()


def test_without_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 50)
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{row},{row * 2}\n" for row in range(60)))
    blocks = list(read_table_blocks(path, FileOptions(header=False)))
    assert len(blocks) > 3
    assert [int(cell) for block in blocks for cell in block.columns["1"]] == [row * 2 for row in range(60)]


def test_a_ragged_line_is_named_by_its_place_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 100)
    path = tmp_path / "t.csv"
    path.write_text(PLAIN.replace("150,x150,", "150,x150,1,2,"))
    with pytest.raises(UserError, match="152"):
        list(read_table_blocks(path))


@pytest.mark.parametrize("text", ["a,b\n" + "1," * 900, 'a,b\n1,"' + "x\n" * 900])
def test_a_row_without_an_end_is_refused_where_the_table_may_be_of_any_size(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 64)
    monkeypatch.setattr(table_blocks, "_LONGEST_ROW", 500)
    with pytest.raises(UserError, match="no row ends within") as caught:
        list(read_table_blocks(tmp_path / "t.csv", always=True))
    assert [fault.id for fault in caught.value.faults] == ["large.endless-row"]
