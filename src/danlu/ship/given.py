"""What a user gives to be answered, in whatever form: paths, pictures, frames, rows as dicts, arrays, texts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from danlu import ship
from danlu.base.errors import Fault, Faults, fail
from danlu.base.input_files import path_kind
from danlu.base.naming import listed
from danlu.data.decode import is_picture
from danlu.data.folder.scan import ENDINGS, raise_first
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.data.series.encoder import WindowEncoder
from danlu.data.standard import Pixels
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.frames import collected, is_frame, is_tabular, rows_as_dicts, sheet_of
from danlu.data.table.to_predict import Columns
from danlu.data.text.encoders import SourceEncoder, TextEncoder
from danlu.ship.column_rows import column_rows
from danlu.ship.inputs import read_rows
from danlu.ship.pair_rows import pair_rows
from danlu.ship.portions import table_portions
from danlu.ship.rows import Rows

Several = list[Any] | tuple[Any, ...]


def read_given(x: Any, fitted: Preprocessing, target: Columns | None, options: FileOptions) -> Iterator[Rows]:
    """The samples in `x`, encoded, in one portion, or of files in several.

    `x` is a path (str or Path, but for texts, which a str is itself) of a file or of a folder of pictures; a Pillow
    picture of any size; a list of these; a polars or pandas DataFrame, one of its rows or a list of them; a dict of
    columns or a list of dicts; or arrays and texts as `Preprocessing.encode` takes them. UserError with all that is
    wrong, item by item.
    """
    x = gathered(x, fitted)
    items = cast(list[Any], x) if isinstance(x, list | tuple) else [x]
    pictures = [item for item in items if is_picture(item)]
    paths = [item for item in items if _is_path(item, fitted)]
    if isinstance(fitted.encoder, SourceEncoder) and is_tabular(x):
        yield from (pair_rows(portion, fitted) for portion in table_portions(sheet_of(x)))
    elif isinstance(fitted.encoder, ColumnTexts) and is_tabular(x):
        yield from (column_rows(portion, fitted, target) for portion in table_portions(sheet_of(x)))
    elif not items or len(pictures) + len(paths) == 0:
        yield _as_it_is(x, fitted)
    elif len(pictures) + len(paths) < len(items):
        kinds = dict.fromkeys(type(item).__name__ for item in items)
        fail("ship.mixed-items", found=", ".join(kinds))
    elif pictures or all(str(path).lower().endswith(ENDINGS) for path in paths):
        yield _pictures(items, fitted)
    else:
        for path in paths:
            file = Path(path).expanduser()
            if path_kind(file) == "missing" and not file.suffix and _column_names(fitted):
                fail("ship.no-file-nor-row", path=path, columns=listed(_column_names(fitted)))
            yield from read_rows(file, fitted, target, options)


def gathered(given: Any, fitted: Preprocessing) -> Any:
    """Rows of a frame that has the columns of the net as dicts, a LazyFrame as a DataFrame; all else as it is."""
    return rows_as_dicts(collected(given), _column_names(fitted))


def _column_names(fitted: Preprocessing) -> tuple[str, ...]:
    """The columns of a table that a sample is made of; none where it is no row of one."""
    encoder = fitted.encoder
    if isinstance(encoder, TableEncoder | WindowEncoder):
        return tuple(column.name for column in encoder.columns)
    if isinstance(encoder, ColumnTexts):
        return (encoder.column,)
    return encoder.columns or () if isinstance(encoder, SourceEncoder) else ()


def _is_path(item: Any, fitted: Preprocessing) -> bool:
    return isinstance(item, Path) or (isinstance(item, str) and not isinstance(fitted.encoder, TextEncoder))


def _as_it_is(x: Any, fitted: Preprocessing) -> Rows:
    if isinstance(fitted.encoder, TableEncoder | WindowEncoder):
        _refuse_gaps(x, fitted.encoder)
    elif is_frame(x) and not isinstance(fitted.encoder, TextEncoder):
        x = x.to_numpy()
    _refuse_empty_texts(x, fitted)
    encoded = fitted.encode(x)
    places = [str(row + 1) for row in range(len(encoded))]
    return Rows("", places, encoded, remarks=fitted.remarks(x))


def _refuse_empty_texts(x: Any, fitted: Preprocessing) -> None:
    """Of a text without a token nothing can be said but what the net says of anything."""
    if isinstance(fitted.encoder, TextEncoder) and fitted.task != "language":
        texts: list[Any] = [x] if isinstance(x, str) else list(x)
        empty = [row for row, text in enumerate(texts, start=1) if isinstance(text, str) and not text.strip()]
        if empty:
            fail("data.empty-texts", count=len(empty), row=empty[0])


def _refuse_gaps(x: Any, encoder: TableEncoder | WindowEncoder) -> None:
    """A row as a dict without a column that others have: whether the value is missing or forgotten nobody can know."""
    if not isinstance(x, list | tuple) or not all(isinstance(row, Mapping) for row in cast(Several, x)):
        return
    faults = Faults()
    rows = cast(Sequence[Mapping[Any, Any]], x)
    needed = [column.name for column in encoder.columns if any(column.name in row for row in rows)]
    for number, row in enumerate(rows, start=1):
        lacking = [name for name in needed if name not in row]
        if lacking:
            faults.add("ship.row-lacks", row=number, columns=", ".join(lacking))
    raise_first(faults)


def _pictures(items: Sequence[Any], fitted: Preprocessing) -> Rows:
    if not isinstance(fitted.encoder, Pixels) and len(fitted.sample_shape) not in (2, 3):
        fail("ship.no-pictures-taken", name=fitted.name)
    missing = Faults()
    for number, item in enumerate(items, start=1):
        if not is_picture(item) and not Path(item).expanduser().exists():
            missing.add("ship.item", number=number, what=Fault("ship.no-such-file", {"path": item}))
    raise_first(missing)
    names = ["" if is_picture(item) else str(item) for item in items]
    sources = [item if is_picture(item) else Path(item).expanduser() for item in items]
    return Rows(
        "", [name or str(row) for row, name in enumerate(names, start=1)], ship.encode_pictures(sources, fitted)
    )
