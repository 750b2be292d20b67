"""A table that does not fit into memory, read twice: once to tell what its columns hold, once to write them down."""

import zlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.files import free_bytes, new_folder, remove_folder, replaced_in_pieces, write_file
from danlu.base.places import cache_folder
from danlu.base.strict_json import to_json
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.data.dataset import digest
from danlu.data.kept_folders import FACTS, forget, hold, make_room
from danlu.data.large.column_store import (
    CELLS,
    VALUE_BYTES,
    Array,
    ColumnStore,
    StoredColumn,
    StoreFacts,
    block_bytes,
)
from danlu.data.large.files import HeldNames, LargeFiles, Places
from danlu.data.table.cells import stripped
from danlu.data.table.columns import Kind, Sheet, offset_of
from danlu.data.table.infer import Guess, Reading, as_text_if_named, is_text, readings, typed_column, whole_as_floats
from danlu.data.table.many_cells import ManyCells

if TYPE_CHECKING:
    import polars

# Goes up when the same files would be read into other values.
VERSION = 1


def stored_table(files: LargeFiles, keep: Collection[str]) -> tuple[ColumnStore, Places | None]:
    """The columns of a table in the cache folder, read from its `files` where they are not there yet; `keep` names
    columns that stay text. UserError for what is wrong with the files, or where the disk has no room.
    """
    state = files.state()
    options = files.options
    folder = cache_folder() / "tables" / digest([one[:2] for one in state])
    place = folder / digest(VERSION, state, options.header, options.encoding, sorted(keep))
    kept = ColumnStore.recall(place)
    if kept is not None:
        hold(place)
        return kept, None
    remove_folder(place, FACTS)
    size = sum(one[2] for one in state)
    tell(say("large.reading", path=files.paths[0], size=f"{size / 2**30:.2f}"))
    seen = _Seen.of(files, keep)
    need = seen.rows * (len(seen.columns) + 1) * VALUE_BYTES
    make_room(need)
    refuse_full_disk(place, need)
    with new_folder(place) as made:
        facts = _write(made / CELLS, files, seen)
        write_file(made / FACTS, to_json(facts.plain()).encode())
    hold(place)
    forget(old for old in folder.iterdir() if old != place)
    written = ColumnStore.recall(place)
    if written is None:
        fail("large.lost", path=place)
    return written, seen.places


def refuse_full_disk(place: Path, needed: int) -> None:
    """UserError where the disk that `place` is on has no room for so many bytes."""
    free = free_bytes(place)
    if needed > free:
        told = {"needed": f"{needed / 2**30:.1f}", "free": f"{free / 2**30:.1f}"}
        fail("large.no-room", folder=cache_folder(), **told)


@dataclass
class _Typed:
    """What is known of a column that came in a type of its own."""

    kind: Kind
    ends: tuple[int, int] | None = None

    def add(self, series: "polars.Series") -> None:
        least, most = (series.min(), series.max()) if series.dtype.is_integer() else (None, None)
        if isinstance(least, int) and isinstance(most, int):
            ends = self.ends or (least, most)
            self.ends = min(ends[0], least), max(ends[1], most)


@dataclass
class _Seen:
    """What one pass over the rows has shown."""

    columns: "dict[str, ManyCells | _Typed]" = field(default_factory=dict[str, Any])
    kept: set[str] = field(default_factory=set[str])  # text that stays text
    parts: dict[str, int] = field(default_factory=dict[str, int])
    places: Places = field(default_factory=Places)
    notes: dict[tuple[Any, ...], Fault] = field(default_factory=dict[tuple[Any, ...], Fault])
    rows: int = 0
    semicolons: bool = False
    typed: bool = False
    first: str = ""
    guesses: dict[str, Guess] = field(default_factory=dict[str, Guess])

    @classmethod
    def of(cls, files: LargeFiles, keep: Collection[str]) -> "_Seen":
        seen, held = cls(), HeldNames()
        seen.places.several = files.several
        for part, path, sheet in files.blocks():
            seen._add(part, path, sheet, keep)
            if not sheet.typed and files.options.header is None:
                held.add(path, sheet)
        held.refuse()
        texts = {
            name: one for name, one in seen.columns.items() if isinstance(one, ManyCells) and name not in seen.kept
        }
        seen.guesses = readings(texts, seen.places, semicolons=seen.semicolons, typed=seen.typed)
        return seen

    def _add(self, part: str, path: Path, sheet: Sheet, keep: Collection[str]) -> None:
        self.first = self.first or sheet.path
        self.typed = self.typed or sheet.typed
        self.semicolons = self.semicolons or sheet.semicolons
        self.places.add(self.rows, path, sheet.lines)
        self._tell(sheet)
        for name in self.columns or sheet.columns:
            given = sheet.columns[name]
            series = as_text_if_named(given)
            if name not in self.columns:
                self.columns[name] = ManyCells() if is_text(series) else _Typed(typed_column(series[:0]).kind)
                if is_text(series) and sheet.typed and (name in keep or not is_text(given)):
                    self.kept.add(name)
            known = self.columns[name]
            if isinstance(known, ManyCells) and is_text(series):
                known.add(series if name in self.kept else stripped(series))
            elif isinstance(known, _Typed) and typed_column(series[:0]).kind == known.kind:
                known.add(series)
            else:
                fail("data.part-type", path=sheet.path, column=name, other=self.first)
        self.rows += len(sheet)
        self.parts[part] = self.parts.get(part, 0) + len(sheet)

    def _tell(self, sheet: Sheet) -> None:
        """The notes of a file once, with blank rows counted."""
        for note in sheet.notes:
            key = (note.id, str(note.values.get("path")))
            before = self.notes.get(key)
            if before is None or "count" not in note.values:
                self.notes.setdefault(key, note)
            else:
                count = before.values["count"] + note.values["count"]
                self.notes[key] = Fault(note.id, {**before.values, "count": count})

    def stored(self, name: str) -> StoredColumn:
        known = self.columns[name]
        if isinstance(known, _Typed):
            offset = offset_of(*known.ends) if known.ends else 0
            return StoredColumn(known.kind, offset=offset)
        found = self.guesses.get(name, Guess(Reading("text")))
        reading = found.reading
        stored = StoredColumn(reading.kind, reading.spelling, reading.offset, reading.remarks, refused=found.refused)
        if reading.kind != "text":
            return stored
        texts = tuple(known.seen) if known.all_kept else ()
        return replace(stored, texts=texts, varied=not known.all_kept, different=len(known.seen), example=known.first)


def _write(path: Path, files: LargeFiles, seen: _Seen) -> StoreFacts:
    columns = {name: seen.stored(name) for name in seen.columns}
    writers = {name: _Writer(column, seen.guesses.get(name), name in seen.kept) for name, column in columns.items()}
    blocks, sums, lines = list[int](), list[int](), True
    with replaced_in_pieces(path) as write:
        for _, _, sheet in files.blocks():
            lines = lines and sheet.lines is not None and not files.several
            own = numpy.zeros(len(sheet)) if sheet.lines is None else sheet.lines.astype(numpy.float64)
            block = block_bytes(iter([own, *(writers[name].values(sheet.columns[name]) for name in columns)]))
            write(block)
            blocks.append(len(sheet))
            sums.append(zlib.crc32(block))
    if sum(blocks) != seen.rows:
        fail("large.changed", path=files.paths[0])
    columns = {name: writers[name].column for name in columns}
    notes = tuple(seen.notes.values())
    return StoreFacts(columns, seen.parts, tuple(blocks), tuple(sums), notes, lines, seen.semicolons)


class _Writer:
    """Turns the cells of a column into what is kept of them, block by block."""

    def __init__(self, column: StoredColumn, guess: Guess | None, kept: bool) -> None:
        self._column, self._guess, self._kept = column, guess, kept
        self._codes = {text: float(code) for code, text in enumerate(column.texts)}
        self._sum, self._begun = 0, False

    @property
    def column(self) -> StoredColumn:
        """The column, with the checksum of what has been written."""
        return replace(self._column, sum=self._sum)

    def values(self, series: "polars.Series") -> Array:
        column, series = self._column, as_text_if_named(series)
        if column.kind == "other":
            self._check([None] * len(series))
            return numpy.full(len(series), numpy.nan)
        if not is_text(series):
            return whole_as_floats(series, column.offset) if column.kind == "integer" else typed_column(series).values
        texts = series if self._kept else stripped(series)
        if column.kind != "text":
            assert self._guess is not None
            return self._guess.reading.read(texts)
        cells = texts.to_list()
        self._check(cells)
        if column.varied:  # which only tells rows apart
            return texts.hash(seed=0).to_numpy().view(numpy.float64)
        return numpy.array([numpy.nan if text is None else self._codes[text] for text in cells], dtype=numpy.float64)

    def _check(self, cells: list[Any]) -> None:
        """The checksum of the whole column's text, as `checksum_of` makes it of a column in memory."""
        joined = "\0".join(map(str, cells))
        self._sum = zlib.crc32((f"\0{joined}" if self._begun else joined).encode(), self._sum)
        self._begun = self._begun or bool(cells)
