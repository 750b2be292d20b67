"""Tables: every way of writing a number, with odd cells, odd headers, odd separators, odd encodings, odd line ends."""

import datetime
import gzip
import io
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attack.inputs.case import Case
from attack.inputs.truth import Cell, Odd, Table, changes_in_table
from danlu.data import load

FAMILY = "tables"
ROWS = 60
DRAWN = 220
FULL = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789.-+"}

WRITERS: dict[str, Callable[[float], str]] = {
    "plain": lambda number: f"{number:g}",
    "decimal comma": lambda number: f"{number:g}".replace(".", ","),
    "full width": lambda number: f"{number:g}".translate(FULL),
    "money": lambda number: f"{'-' if number < 0 else ''}${abs(number):,.2f}",
    "percent": lambda number: f"{number:g}%",
    "grouped": lambda number: f"{number:,.2f}",
    "exponent": lambda number: f"{number:.6e}",
    "plus": lambda number: f"{number:+g}",
    "blanks": lambda number: f"  {number:g} ",
    "long": lambda number: f"{number:.17g}",
    "minus sign": lambda number: f"{number:g}".replace("-", "\u2212"),
    "Swiss": lambda number: f"{number:,.2f}".replace(",", "'"),
    "thin blanks": lambda number: f"{number:,.2f}".replace(",", "\u202f"),
    "German": lambda number: f"{number:,.2f}".translate({ord(","): ".", ord("."): ","}),
}
ODD_CELLS = [
    "007", "$5", "3,14", "2024-01-05", "abc", "５", "--", "9" * 20, "1.234,5", "1e400", "0x1F", "1_000", "1/2", "½",
    "٣", "Ⅷ", "5°", "~5", "<5", "5*", "#REF!", "=1+1", "1 000", "TRUE", "inf", "-inf", "Infinity", "1e39", "5 kg",
    "10:30", "1.2.3", "\u200b5", "null byte \x00", "\x1b[31m5", "1d5", "1,2,3", "NaN5", "５０％", "12/31/2024",
]  # fmt: skip
GAPS = ["", "NA", "n/a", "NaN", "null", "None", "?", "-", "无", "#N/A"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gbk", "latin-1", "shift_jis", "big5"]
LINE_ENDS = ["\n", "\r\n", "\r"]
SEPARATORS = [",", ";", "\t", "|"]
HEADERS = {
    "plain": ("width", "kind", "label"),
    "Chinese": ("身高", "种类", "类别"),
    "blanks": (" width ", "kind", "label"),
    "quoted": ("width, cm", 'ki"nd', "label"),
    "escape": ("wi\x1b[31mdth", "kind", "label"),
    "script": ("<script>alert(1)</script>", "kind", "label"),
    "equals": ("a = b", "kind", "label"),
    "number": ("1", "2", "label"),
    "long": ("w" * 300, "kind", "label"),
    "bidi": ("w\u202eidth", "kind", "label"),
    "format": ("{width}", "%s", "label"),
    "keyword": ("missing", "id", "label"),
}


def quoted(cell: str, separator: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if set(cell) & {separator, '"', "\n", "\r"} else cell


def text_of(header: Sequence[str], rows: Sequence[Sequence[str]], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(quoted(cell, separator) for cell in row) + end for row in [header, *rows])


def loaded(source: Any, truth: Table | None, target: str | None, **options: Any) -> list[str]:
    data = load(source, target=target, validation=0, test=0, standardise=False, **options)
    return list(changes_in_table(data, truth)) if truth else []


def drawn(seed: int) -> Case:
    """A table with one of each: a spelling of numbers, an odd cell, gaps, a header, a separator, an encoding."""
    draw = random.Random(seed)
    writer, encoding = draw.choice(sorted(WRITERS)), draw.choice(ENCODINGS[: draw.choice([1, 1, 9])])
    separator, end = draw.choice(SEPARATORS), draw.choice(LINE_ENDS)
    header = draw.choice(sorted(HEADERS))
    odd = draw.choice(ODD_CELLS) if draw.random() < 0.5 else None
    gap = draw.choice(GAPS) if draw.random() < 0.3 else None
    quoting, packing = draw.random() < 0.2, draw.choice(["", "", "", ".gz", ".zip", ".tar.gz"])
    numbers = [round(draw.uniform(-9000, 9000), 2) for _ in range(ROWS)]
    name = f"{seed}: {writer}, {encoding}, {separator!r}, {end!r}, {header}, odd {odd!r}, gap {gap!r}, {packing}"

    def act(place: Path) -> list[str]:
        cells = [WRITERS[writer](number) for number in numbers]
        wanted: list[Cell] = list(numbers)
        if odd is not None:
            cells[17], wanted[17] = odd, Odd(odd)
        if gap is not None:
            cells[31], wanted[31] = gap, None
        kinds = [f"k{number % 3}" for number in range(ROWS)]
        labels = [("cat", "dog")[number % 2] for number in range(ROWS)]
        rows = list(zip(cells, kinds, labels, strict=True))
        if quoting:
            rows = [tuple(f"{cell}" for cell in row) for row in rows]
        text = text_of(HEADERS[header], rows, separator, end)
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:  # it has signs that this encoding does not know
            content = text.encode()
        source = packed(place, "t.csv", content, packing)
        names = [name.strip() for name in HEADERS[header]]
        return loaded(source, Table({names[0]: wanted, names[1]: kinds}, labels), names[2])

    return Case(FAMILY, name, act)


def packed(place: Path, name: str, content: bytes, packing: str) -> Path:
    """The file, as it is or in an archive."""
    path = place / f"{name}{packing}"
    if packing == ".gz":
        path.write_bytes(gzip.compress(content))
    elif packing == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
    elif packing == ".tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    else:
        path.write_bytes(content)
    return path


DAY = datetime.date(2024, 1, 1)
DATES: dict[str, str] = {
    "ISO": "%Y-%m-%d", "slashes": "%Y/%m/%d", "German": "%d.%m.%Y", "American": "%m/%d/%Y", "Chinese": "%Y年%m月%d日",
    "compact": "%Y%m%d", "time": "%Y-%m-%d %H:%M:%S", "T": "%Y-%m-%dT%H:%M:%S", "zone": "%Y-%m-%dT%H:%M:%S+08:00",
    "month": "%d %b %Y", "short": "%y-%m-%d",
}  # fmt: skip


def of_dates(name: str, form: str) -> Case:
    def act(place: Path) -> list[str]:
        days = [DAY + datetime.timedelta(days=(7 * number) % 400) for number in range(ROWS)]
        rows = [(day.strftime(form), str(number % 5), "ab"[number % 2]) for number, day in enumerate(days)]
        path = packed(place, "t.csv", text_of(("when", "n", "label"), rows).encode(), "")
        data = load(path, target="label", validation=0, test=0, standardise=False)
        if form == DATES["compact"]:
            return []  # whole numbers, as numbers
        truth: list[Cell] = [float((day - datetime.date(1970, 1, 1)).days) for day in days]
        shift = 8 / 24 if "+08" in form else 0.0
        shifted = [float(day) - shift for day in truth if isinstance(day, float)]
        found = list(changes_in_table(data, Table({"when": truth}, [row[2] for row in rows])))
        moved = list(changes_in_table(data, Table({"when": shifted}, [row[2] for row in rows])))
        return found and moved

    return Case(FAMILY, f"dates {name}", act)


def column(name: str, cells: Sequence[str], wanted: Sequence[Cell], **options: Any) -> Case:
    """A table whose column "width" holds these cells again and again."""

    def act(place: Path) -> list[str]:
        count = -(-ROWS // len(cells)) * len(cells)
        labels = ["ab"[number % 2] for number in range(count)]
        rows = [(cells[number % len(cells)], str(number % 7), labels[number]) for number in range(count)]
        source = packed(place, "t.csv", text_of(("width", "n", "label"), rows).encode(), "")
        truth = [wanted[number % len(cells)] for number in range(count)]
        return loaded(source, Table({"width": truth}, labels), "label", **options)

    return Case(FAMILY, name, act)


COLUMNS = {
    "codes beyond 2^53": [2**60, 2**60 + 1, 2**60 + 5000],
    "time stamps in ns": [1_700_000_000_000_000_000 + 7 * number for number in range(12)],
    "whole numbers of 30 digits": [10**29 + number for number in range(6)],
    "subnormal": [5e-324, 1e-320, 0.0, 1.0],
    "beyond float32": [1e39, 2e39, 3.0],
    "float32's last": [3.4e38, -3.4e38, 1.0],
    "beyond float64": ["1e999", "2", "3"],
    "mixed magnitudes": [1e-30, 1e30, 5.0],
    "negative zero": ["-0", "0", "1"],
    "all the same": [5, 5, 5],
    "booleans": ["true", "false"],
    "yes and no": ["yes", "no"],
    "True and 1": ["True", "1", "False", "0"],
    "NaN words": ["NaN", "1", "2"],
    "octal": ["0o17", "1", "2"],
    "padded codes": ["001", "002", "010"],
    "phone numbers": ["+8613800000000", "+8613900000001"],
    "versions": ["1.2.3", "1.2.4"],
    "times": ["10:30", "23:59"],
    "durations": ["1h", "2h"],
    "units": ["5 kg", "7 kg"],
    "fractions": ["1/2", "3/4"],
    "Arabic digits": ["٣", "٤", "٥"],
    "Chinese numbers": ["三", "四"],
    "Roman": ["IV", "V"],
    "scientific with comma": ["1,5e3", "2,5e3"],
    "parentheses for minus": ["(5)", "7"],
    "trailing minus": ["5-", "7"],
    "hash": ["#1", "#2"],
    "only blanks": [" ", "\u3000"],
    "surrogates": ["\U0001f600", "\U0001f601"],
    "combining": ["e\u0301", "\u00e9"],
    "zero width": ["a\u200b", "a"],
    "case": ["Cat", "cat", "CAT"],
    "long text": ["x" * 70_000, "y"],
    "new lines inside": ["a\nb", "c"],
}


def columns() -> Iterator[Case]:
    for name, cells in COLUMNS.items():
        texts = [str(cell) for cell in cells]
        wanted: list[Cell] = [cell if isinstance(cell, int | float) else Odd(cell) for cell in cells]
        kept = {"booleans": [1.0, 0.0], "yes and no": ["yes", "no"], "negative zero": [0.0, 0.0, 1.0]}
        kept |= {"case": ["Cat", "cat", "CAT"], "new lines inside": ["a\nb", "c"], "combining": ["e\u0301", "\u00e9"]}
        kept |= {"NaN words": [None, 1, 2], "Roman": ["IV", "V"], "hash": ["#1", "#2"], "versions": ["1.2.3", "1.2.4"]}
        kept |= {"surrogates": ["\U0001f600", "\U0001f601"], "long text": ["x" * 70_000, "y"]}
        kept |= {"Chinese numbers": ["三", "四"], "zero width": ["a\u200b", "a"], "times": ["10:30", "23:59"]}
        kept |= {"phone numbers": [8613800000000, 8613900000001], "units": ["5 kg", "7 kg"]}
        kept |= {"durations": ["1h", "2h"], "fractions": ["1/2", "3/4"], "octal": ["0o17", "1", "2"]}
        yield column(name, texts, kept.get(name, wanted))


PLAIN = text_of(
    ("width", "n", "label"), [(f"{number / 2}", str(number % 7), "ab"[number % 2]) for number in range(ROWS)]
)
CONTENTS: dict[str, bytes] = {
    "nothing": b"",
    "a new line": b"\n",
    "only a header": b"width,n,label\n",
    "one row": b"width,n,label\n1,2,a\n",
    "zeros": bytes(1000),
    "random bytes": random.Random(0).randbytes(5000),
    "HTML": b"<!DOCTYPE html><html><body>Not Found</body></html>",
    "JSON": b'{"width": [1, 2], "label": ["a", "b"]}',
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "an Excel file": b"PK\x03\x04" + bytes(500),
    "a pickle": b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "a gzip of a gzip": gzip.compress(gzip.compress(PLAIN.encode())),
    "no header": PLAIN.partition("\n")[2].encode(),
    "header twice": (PLAIN + PLAIN).encode(),
    "same names": PLAIN.replace("width,n", "n,n").encode(),
    "empty names": PLAIN.replace("width,n", ",").encode(),
    "ragged": PLAIN.replace("5,3,b", "5,3,b,extra").encode(),
    "short rows": PLAIN.replace("5,3,b", "5,b").encode(),
    "trailing separators": PLAIN.replace("\n", ",\n").encode(),
    "an open quote": PLAIN.replace("2.5", '"2.5').encode(),
    "a quote inside": PLAIN.replace("2.5", '2"5').encode(),
    "comments": ("# made by hand\n" + PLAIN).encode(),
    "blank lines": PLAIN.replace("\n", "\n\n").encode(),
    "no last line end": PLAIN.rstrip().encode(),
    "zero bytes": PLAIN.replace("2.5", "2\x005").encode(),
    "broken UTF-8": PLAIN.encode().replace(b"b\n", b"\xff\xfe\n", 3),
    "two encodings": PLAIN.encode() + "é,1,a\n".encode("latin-1") + "中,1,b\n".encode(),
    "control Z": PLAIN.encode() + b"\x1a",
    "form feeds": PLAIN.replace("\n", "\n\f").encode(),
    "line separators": PLAIN.replace("\n", "\u2028").encode(),
    "a million commas": b"," * 1_000_000 + b"\n" + b"," * 1_000_000 + b"\n",
    "a name of 200 kB": (PLAIN.replace("width", "w" * 200_000)).encode(),
    "3,000 columns": (",".join(f"c{n}" for n in range(3000)) + ",label\n").encode()
    + b"".join((",".join(str(n * row % 9) for n in range(3000)) + f",{'ab'[row % 2]}\n").encode() for row in range(40)),
    "one class": PLAIN.replace(",b\n", ",a\n").encode(),
    "every label differs": "".join(["width,label\n", *(f"{n % 7},l{n}\n" for n in range(200))]).encode(),
    "labels missing": PLAIN.replace("5,3,b", "5,3,").encode(),
    "labels NaN": PLAIN.replace("5,3,b", "5,3,nan").encode(),
    "one odd label": PLAIN.replace("5,3,b", "5,3,B ").encode(),
    "target escaped": PLAIN.replace(",a\n", ",\x1b]0;owned\x07\n").encode(),
}


def contents() -> Iterator[Case]:
    for name, content in CONTENTS.items():
        for ending in (".csv", ".tsv", ".parquet", ".csv.gz", ".zip", ".tar.gz"):
            if ending != ".csv" and len(name) % 3:
                continue  # all of them as CSV, some as what they are not

            def act(place: Path, content: bytes = content, ending: str = ending) -> list[str]:
                path = place / f"t{ending}"
                path.write_bytes(content)
                return loaded(path, None, "label")

            yield Case(FAMILY, f"{name} as {ending}", act)


def cases() -> list[Case]:
    written = [drawn(seed) for seed in range(DRAWN)]
    return [*written, *(of_dates(name, form) for name, form in DATES.items()), *columns(), *contents()]
