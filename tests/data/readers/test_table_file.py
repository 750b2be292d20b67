"""Tables on disk: every container, and every way in which text can be wrong, with its line named."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy
import polars
import pytest

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import read_table
from danlu.data.table.infer import interpret

ROWS = "".join(f"{n % 7},{'ab'[n % 2]},{n % 3}\n" for n in range(30))
TEXT = "x,c,y\n" + ROWS


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


MAKERS: list[Callable[[Path], Path]] = [
    lambda folder: written(folder / "t.csv", TEXT.encode()),
    lambda folder: written(folder / "T.CSV", TEXT.replace("\n", "\r\n").encode()),
    lambda folder: written(folder / "t.csv", b"\xef\xbb\xbf" + TEXT.encode()),
    lambda folder: written(folder / "t.csv", TEXT.replace(",", ";").encode()),
    lambda folder: written(folder / "t.csv", TEXT.replace("x,c,y\n", 'x,"c",y\n\n').encode() + b",,\n\n\n"),
    lambda folder: written(folder / "t.tsv", TEXT.replace(",", "\t").encode()),
    lambda folder: written(folder / "t.csv.gz", gzip.compress(TEXT.encode(), mtime=0)),
    lambda folder: zipped(folder / "t.zip", {"deep/t.csv": TEXT, "readme.txt": "-", "__MACOSX/deep/._t.csv": "-"}),
    lambda folder: tarred(folder / "t.tgz", {"housing/t.csv": TEXT, "readme.txt": "-"}),
]


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_table_comes_out_of_every_container(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    table = interpret(read_table(make(tmp_path)))
    assert {name: column.kind for name, column in table.items()} == {"x": "integer", "c": "text", "y": "integer"}
    assert table["x"].values.tolist() == [n % 7 for n in range(30)]
    assert table["c"].values.tolist() == ["ab"[n % 2] for n in range(30)]


def test_parquet_brings_its_types(tmp_path: Path) -> None:
    frame = polars.DataFrame(
        {
            "code": ["001", None, "003"],
            "size": [1.5, None, float("nan")],
            "count": [1, 2, 3],
            "yes": [True, None, False],
            "day": polars.Series(["1970-01-02", None, "1970-01-04"]).str.to_date(),
            "kind": polars.Series(["a", "b", None], dtype=polars.Categorical),
            "list": [[1], [2], [3]],
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    table = interpret(read_table(tmp_path / "t.parquet"))
    kinds = {name: column.kind for name, column in table.items()}
    assert kinds == {
        "code": "text",
        "size": "number",
        "count": "integer",
        "yes": "boolean",
        "day": "date",
        "kind": "text",
        "list": "other",
    }
    assert numpy.array_equal(table["size"].missing, [False, True, True])
    assert numpy.array_equal(table["day"].values, [1.0, numpy.nan, 3.0], equal_nan=True)
    assert table["code"].values.tolist() == ["001", None, "003"]


def test_semicolons_and_skipped_rows_are_told(tmp_path: Path) -> None:
    data = load(written(tmp_path / "t.csv", (TEXT.replace(",", ";") + ";;\n0;a;1\n").encode()), target="y")
    assert [note.id for note in data.notes][:2] == ["data.separator", "data.blank-rows"]


BAD = [
    ("t.csv", b"", r"the file is empty", r"文件是空的"),
    ("t.csv", b"\n\n", r"the file is empty", r"文件是空的"),
    ("t.csv", b"x,c,y\n", r"no rows of data", r"没有数据行"),
    (
        "t.csv",
        (TEXT + "1,a\n" + ROWS).encode(),
        r"line 32: 2 fields, but .* 3 columns",
        r"第 32 行：有 2 个字段.*3 个列名",
    ),
    ("t.csv", (TEXT + "1,a,2,3\n" + ROWS).encode(), r"line 32: 4 fields", r"第 32 行：有 4 个字段"),
    ("t.csv", b'x,c,y\n"1\n1",a,\n2,b\n', r"line 4: 2 fields", r"第 4 行：有 2 个字段"),
    ("t.csv", b'x,y\n1,"a\n2,3\n', r"line 3: 2 fields|line 3|cannot be read as CSV", r"第 3 行|无法作为 CSV 读取"),
    ("t.csv", b"x,y\n1,2\n\xff\x00,3\n", r"not a text file, .* line 3 has the byte 0xff", r"第 3 行有字节 0xff"),
    ("t.csv", "x,y\n1,2\n".encode("utf-16")[:-1], r"not utf-16 text", r"不是 utf-16 编码"),
    ("t.csv", b"7.4,0.7,5\n7.8,0.9,6\n", r"the first line \(7\.4, 0\.7, 5\) looks like a row", r"第一行.*像一行数据"),
    ("t.csv", b"x,y,x\n1,2,3\n", r'two columns are called "x"', r'有两列都叫 "x"'),
    ("t.parquet", TEXT.encode(), r"not a Parquet file", r"不是 Parquet 文件"),
    ("t.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:-12], r"cut off or damaged", r"不完整、已损坏"),
    ("t.csv.gz", TEXT.encode(), r"or is none", r"不是压缩包"),
    ("t.zip", b"no zip", r"cut off or damaged", r"不完整、已损坏"),
    ("t.tgz", b"no tar", r"cut off or damaged", r"不完整、已损坏"),
]


@pytest.mark.parametrize(("name", "content", "english", "chinese"), BAD)
def test_bad_files_are_refused_by_name_and_line(
    tmp_path: Path, name: str, content: bytes, english: str, chinese: str, language: str
) -> None:
    with pytest.raises(UserError, match=rf"{name}.*" + {"en": f"({english})", "zh": f"({chinese})"}[language]):
        load(written(tmp_path / name, content), target="y")


HEADERS = [("x,y,label", True), ("x,2,label", False), ("1,2,a", False), ("x,NA,a", False)]


@pytest.mark.parametrize(("first", "is_refused"), HEADERS)
def test_names_are_no_row_where_a_user_says_that_there_are_none(tmp_path: Path, first: str, is_refused: bool) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join([first, *(f"{row},{row}.5,{'ab'[row % 2]}" for row in range(9))]))
    if is_refused:
        with pytest.raises(UserError, match="looks like the names of the columns"):
            read_table(path, FileOptions(header=False))
    else:
        assert len(read_table(path, FileOptions(header=False))) == 10


def test_an_archive_must_hold_one_table(tmp_path: Path, language: str) -> None:
    words = {"en": r"holds 2 tables \(a\.csv, b\.csv\)", "zh": r"有 2 个表格"}
    for path in (
        zipped(tmp_path / "t.zip", {"a.csv": TEXT, "b.csv": TEXT}),
        tarred(tmp_path / "t.tar.gz", {"a.csv": TEXT, "b.csv": TEXT}),
    ):
        with pytest.raises(UserError, match=words[language]):
            load(path, target="y")
