"""Text of separated values into columns of text, with the line named where the text is wrong."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.input_files import guarded
from danlu.data.readers.header import refuse_names, refuse_no_header
from danlu.data.readers.text_file import decode_told, one_line_end
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import drop_blank_rows, read_text_columns

if TYPE_CHECKING:
    import polars

BLANKS = " "
OTHER_SEPARATORS = (";", "\t", "|")
# So many lines tell what separates the columns.
TRIED_LINES = 20


@dataclass(frozen=True)
class FileOptions:
    """What a user says of a table's file: whether its first line names the columns (None: it does, and is refused where
    it looks like a row), its encoding (None: detected), which sheet of a workbook is meant (None: the first), and
    whether its rows are kept on the disk instead of in memory (None: where they are too many for that).
    """

    header: bool | None = None
    encoding: str | None = None
    sheet: str | None = None
    stream: bool | None = None


def read_csv(content: bytes, path: str, separator: str | None, options: FileOptions, *, sure: bool = False) -> Sheet:
    """The columns of text in lines; `separator` None stands for whatever separates them, and unless it is `sure` gives
    way to another that every line has.
    """
    text, notes = decode_told(content, path, options.encoding)
    whole = one_line_end(text)
    text = whole.lstrip("\n").rstrip("\n")
    above = len(whole) - len(whole.lstrip("\n"))
    with guarded(path, "data.bad-csv-line"):
        found = separator if sure and separator else separator_of(text, separator)
        if found == BLANKS:
            text, found = _with_commas(text), ","
        elif found != (separator or found):
            notes = (*notes, told_separator(path, found))
        first = next(csv.reader(io.StringIO(text), delimiter=found), [])
    columns = _columns(text, path, found, len(first), options.header is not False)
    columns, lines = _lines(columns, text, found, above)
    if options.header is False:
        refuse_names(first, columns, path)
        named = {str(place): column for place, column in enumerate(columns)}
    else:
        named = _named(first, [column.slice(1) for column in columns], path, sure=options.header is True)
        lines = lines[1:]
    kept, filled = drop_blank_rows(list(named.values()))
    if not filled.all():
        blank = {"path": path, "count": int((~filled).sum()), "line": int(lines[~filled][0])}
        notes = (*notes, Fault("data.blank-rows", blank))
    if not len(kept[0]):
        fail("data.no-rows", path=path)
    named = dict(zip(named, kept, strict=True))
    return Sheet(named, path, lines[filled], notes, semicolons=found == ";")


def _columns(text: str, path: str, separator: str, width: int, named: bool) -> "list[polars.Series]":
    columns = read_text_columns(text, path, separator, width)
    # Short lines are filled up with gaps at their end, and lines that are too long make the reading fail: only then
    # is the slower search for the line worth its time.
    if columns is None or columns[-1].null_count():
        _refuse_ragged(text, path, separator, width, named)
    if columns is None:
        fail("data.not-csv", path=path)
    return columns


def _lines(
    columns: "list[polars.Series]", text: str, separator: str, above: int
) -> "tuple[list[polars.Series], numpy.ndarray[Any, Any]]":
    """The line on which each row begins, counted from 1."""
    rows = len(columns[0])
    if text.count("\n") + 1 == rows:
        return columns, numpy.arange(rows) + 1 + above
    # Quoted cells go over several lines.
    lines = csv.reader(io.StringIO(text), delimiter=separator)
    starts, before = [], 0
    for _ in lines:
        starts.append(before + 1 + above)
        before = lines.line_num
    return columns, numpy.resize(numpy.array(starts), rows)


def _named(first: list[str], columns: "list[polars.Series]", path: str, *, sure: bool) -> "dict[str, polars.Series]":
    names = [name.strip() for name in first]
    if not sure:
        refuse_no_header(names, columns, path)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        fail("data.column-twice", path=path, column=twice)
    return dict(zip(names, columns, strict=True))


def separator_of(text: str, usual: str | None) -> str:
    """What separates the columns: the usual sign where every line has as many, else another that does."""
    lines = [line for line in text.split("\n", 4 * TRIED_LINES)[: 4 * TRIED_LINES] if line.strip()][:TRIED_LINES]
    candidates = dict.fromkeys((usual or ",", ",", *OTHER_SEPARATORS))
    widths = {sign: [len(fields) for fields in csv.reader(lines, delimiter=sign)] for sign in candidates}
    even = [sign for sign, counts in widths.items() if len(set(counts)) == 1 and counts[0] > 1]
    present = [sign for sign, counts in widths.items() if counts[0] > 1]
    if even or present:
        return (even or present)[0]
    blanks = Counter(len(fields) for fields in _split_at_blanks(lines))
    return BLANKS if usual != "\t" and len(blanks) == 1 and next(iter(blanks)) > 1 else usual or ","


def _split_at_blanks(lines: list[str]) -> Iterator[list[str]]:
    plain = (re.sub(r"\s", " ", line).strip() for line in lines)
    return csv.reader(plain, delimiter=" ", skipinitialspace=True)


def _with_commas(text: str) -> str:
    """Text whose columns are separated by blanks, any number of them, with a comma between each two."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(_split_at_blanks(text.split("\n")))
    return out.getvalue().rstrip("\n")


def told_separator(path: str, separator: str) -> Fault:
    """What is told of columns that are not separated as the file's name says."""
    shown = {";": "data.semicolons", "\t": "data.tabs", "|": "data.bars", ",": "data.commas"}[separator]
    return Fault("data.separator", {"path": path, "separator": Fault(shown)})


def _refuse_ragged(text: str, path: str, separator: str, width: int, named: bool) -> None:
    lines = csv.reader(io.StringIO(text), delimiter=separator)
    with guarded(path, "data.bad-csv-line"):
        for fields in lines:
            if fields and len(fields) != width:
                phrase = "data.ragged" if named else "data.ragged-first"
                fail(phrase, path=path, line=lines.line_num, found=len(fields), wanted=width)
