"""A table larger than memory into a data set: its encoder fitted column by column, its encoded rows in a file.

The rows are encoded once, in the order in which the data set counts them, and mapped from the file: a batch is a gather
as it is in memory, in the same order, so that nothing else has to know. What is held for each row does not depend on
the number of columns: its targets, its place in the order, and while one is looked at, the values of a single column.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.files import new_folder, remove_folder, replaced_in_pieces, write_file
from danlu.base.seeds import available_memory, mix
from danlu.base.strict_json import to_json
from danlu.data.dataset import Origin, checksum, digest
from danlu.data.kept_folders import FACTS, hold, make_room
from danlu.data.label_sets import LabelSets, unmet
from danlu.data.large.column_store import ColumnStore
from danlu.data.large.files import LargeFiles, Places
from danlu.data.large.store_builder import VERSION, refuse_full_disk, stored_table
from danlu.data.memory import MemoryDataset
from danlu.data.options import NUMBERS, Options, refuse_unfit
from danlu.data.parts import PARTS
from danlu.data.portions import Portion, row_keys, shared_keys
from danlu.data.sample_weights import of_training
from danlu.data.split import Rows
from danlu.data.table.columns import Column
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fit import fit_columns, is_identifier
from danlu.data.table.fitted import FittedColumn, columns_to_plain
from danlu.data.table.load import checksum_of, column_weights, named_keys, refuse_infinite, rows_of
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, read_columns, target_names
from danlu.data.targets import Labels, Quantities, standardise_target

ROWS = "rows"
# Rows that are encoded at a time.
AT_A_TIME = 2**16


@dataclass(frozen=True)
class LargeSource(TableSource):
    """A table whose columns lie in a file; `places` says where its rows stand, where its files have just been read."""

    store: ColumnStore | None = None
    places: Places | None = None

    @property
    def kept(self) -> ColumnStore:
        assert self.store is not None
        return self.store

    def at(self, row: int) -> Fault:
        if self.places is not None:
            return self.places(row)
        if self.kept.facts.has_lines:
            line = self.kept.values(None)[row]
            return Fault("data.at-line", {"line": int(line)})
        return Fault("data.at-row", {"row": row + 1})


def large_source(files: LargeFiles, keep: tuple[str, ...], notes: tuple[Fault, ...] = ()) -> LargeSource:
    """The table in large files."""
    store, places = stored_table(files, keep)
    size = sum(path.stat().st_size for path in files.paths)
    told = {"rows": len(store), "size": f"{size / 2**30:.2f}", "memory": f"{available_memory() / 2**30:.1f}"}
    streamed = Fault("large.streamed", {**told, "folder": store.folder.parent.parent})
    facts = store.facts
    return LargeSource(
        store.table,
        str(files.paths[0]),
        (*notes, *facts.notes, streamed),
        parts=facts.parts,
        store=store,
        places=places,
    )


def large_dataset(
    name: str, source: LargeSource, target: Columns | None, options: Options, *, origin: Origin | None = None
) -> MemoryDataset:
    """The data set that `table_dataset` would make of the same table, its samples mapped from a file."""
    refuse_unfit(options, name, NUMBERS)
    table, store = source.table, source.kept
    names, said = target_names(table, target, source.place)
    options, named = named_keys(options, list(table))
    y, meaning, told = read_columns(names, options.task, source)
    weights, no_feature = None, {*names, *source.no_features}
    if isinstance(options.weight, str):
        if options.weight in names:
            fail("data.weight-is-target", column=options.weight)
        weights, left_out = column_weights(options.weight, table, len(y))
        told = (*told, *left_out)
        no_feature.add(options.weight)
    rows = rows_of(source, options, y if isinstance(meaning, Labels) else None, len(y))
    if isinstance(options.group, str) and options.group in table and options.group not in no_feature:
        told = (*told, Fault("data.group-left-out", {"column": options.group}))
        no_feature.add(options.group)
    standardise = options.standardise is not False
    fitted = _Fitted.of(source, [one for one in table if one not in no_feature], rows, standardise)
    order = torch.cat([rows[part] for part in PARTS])
    y, sizes = y[order], {part: len(rows[part]) for part in PARTS}
    portions = {part: Portion(rows[part], rows[part], rows[part]) for part in PARTS if part in rows}
    shared = shared_keys(portions, fitted.keys[order] + 31 * row_keys(y), store.lines())
    content = (int(standardise), *checksum(order, y), *(fitted.sums[one] for one in fitted.features))
    columns = {one: fitted.sums[one] if one in fitted.sums else _sum_of(source, one) for one in table}
    if standardise and isinstance(meaning, Quantities):
        y, meaning = standardise_target(y, sizes["train"], meaning.names)
    elif isinstance(meaning, LabelSets):
        told = (*told, *unmet(y, meaning, sizes["train"]))
    encoder = TableEncoder(fitted.columns)
    lines = store.lines()
    return MemoryDataset(
        name=name,
        sample_shape=(len(encoder.features),),
        sizes=sizes,
        target=meaning,
        encoder=encoder,
        notes=(*source.notes, *said, *named, *told, *fitted.notes, *shared),
        origin=origin or Origin(),
        x=_encoded(source, encoder, order),
        y=y,
        content=content,
        numbers=order,
        lines=None if lines is None else torch.from_numpy(lines)[order],
        columns=columns,
        on_disk=True,
        sample_weights=None if weights is None else of_training(weights, rows["train"], str(options.weight)),
    )


@dataclass
class _Fitted:
    """What each column of the features becomes, and what tells rows apart: a key of each, int64 [rows]."""

    columns: tuple[FittedColumn, ...]
    notes: tuple[Fault, ...]
    sums: dict[str, int]
    features: list[str]
    keys: Tensor

    @classmethod
    def of(cls, source: LargeSource, features: list[str], rows: Rows, standardise: bool) -> "_Fitted":
        """UserError with all that is wrong with the columns, each of which is looked at alone."""
        found = cls((), (), {}, features, torch.zeros(len(source.kept), dtype=torch.int64))
        faults, train = Faults(), rows["train"].numpy()
        for name in features:
            with faults.gathered():
                found._add(name, source, train, standardise)
        faults.raise_if_any()
        if not found.columns:
            texts = any(note.id == "data.dropped-text" for note in found.notes)
            more = [Fault("large.texts", {"path": source.place})] if texts else []
            raise UserError(Fault("data.no-features", {"place": source.place}), *found.notes, *more)
        for name in source.left_out:
            found._tell_apart(name, source, None)
        return found

    def _add(self, name: str, source: LargeSource, train: "numpy.ndarray[Any, Any]", standardise: bool) -> None:
        stored = source.kept.facts.columns[name]
        if stored.varied:
            self.sums[name] = stored.sum
            told = {"column": name, "count": f"> {stored.different - 1}", "rows": len(train), "example": stored.example}
            self.notes = (*self.notes, Fault("data.dropped-text", told))
            self._tell_apart(name, source, None)
            return
        column = source.table[name]
        refuse_infinite({name: column}, source)
        self.sums[name] = _sum_of(source, name, column)
        columns, notes = fit_columns({name: column}, train, standardise)
        self.columns, self.notes = (*self.columns, *columns), (*self.notes, *notes)
        if not any(note.id == "data.dropped-identifier" for note in notes) and column.kind != "other":
            self._tell_apart(name, source, column)

    def _tell_apart(self, name: str, source: LargeSource, column: Column | None) -> None:
        """Add a column to the keys: those of two rows that differ in one differ."""
        stored = source.kept.facts.columns[name]
        if stored.refused is not None or stored.kind == "other":
            return
        if column is None and stored.kind == "integer" and is_identifier(name, source.left_out[name]):
            return
        values = torch.from_numpy(source.kept.values(name)).view(torch.int64)
        own = mix(torch.tensor([zlib.crc32(name.encode()) + 1]))
        for first in range(0, len(values), AT_A_TIME):
            self.keys[first : first + AT_A_TIME] += mix(values[first : first + AT_A_TIME] ^ own)


def _sum_of(source: LargeSource, name: str, column: Column | None = None) -> int:
    """The checksum of a column that `checksum_of` gives in memory."""
    stored = source.kept.facts.columns[name]
    if stored.kind in ("text", "other"):
        return stored.sum
    return checksum_of(source.table[name] if column is None else column)


def _encoded(source: LargeSource, encoder: TableEncoder, order: Tensor) -> Tensor:
    """The rows in their order as float32 [rows, features], mapped from a file that is written where it is not there."""
    shape = (len(order), len(encoder.features))
    place = source.kept.folder / f"encoded-{digest(VERSION, columns_to_plain(encoder.columns), checksum(order))}"
    bytes_wanted = shape[0] * shape[1] * 4
    mapped = _recalled(place, shape)
    if mapped is None:
        remove_folder(place, FACTS)
        make_room(bytes_wanted)
        refuse_full_disk(place, bytes_wanted)
        with new_folder(place) as folder:
            total = 0
            with replaced_in_pieces(folder / ROWS) as write:
                for block in _blocks(source, encoder, order):
                    content = block.numpy().tobytes()
                    write(content)
                    total = zlib.crc32(content, total)
            write_file(folder / FACTS, to_json({"shape": shape, "sum": total}).encode())
        mapped = _recalled(place, shape)
    if mapped is None:
        fail("large.lost", path=place)
    hold(place)
    return mapped


def _recalled(place: Path, shape: tuple[int, int]) -> Tensor | None:
    try:
        facts: dict[str, Any] = json.loads((place / FACTS).read_text(encoding="utf-8"))
        if facts["shape"] != list(shape) or (place / ROWS).stat().st_size != shape[0] * shape[1] * 4:
            return None
        total = 0
        with (place / ROWS).open("rb") as file:
            while block := file.read(2**24):
                total = zlib.crc32(block, total)
        if total != facts["sum"]:
            return None
        flat = torch.from_file(str(place / ROWS), shared=False, size=shape[0] * shape[1], dtype=torch.float32)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return flat.view(shape)


def _blocks(source: LargeSource, encoder: TableEncoder, order: Tensor) -> Iterator[Tensor]:
    """The encoded rows. UserError with all numbers that float32 cannot hold."""
    names = [column.name for column in encoder.columns]
    wrong: dict[int, tuple[int, int]] = {}
    for rows in order.split(AT_A_TIME):
        x = encoder.encode_table(source.kept.take(names, rows.numpy()))
        bad = ~torch.isfinite(x)
        for place in bad.any(0).nonzero().flatten().tolist():
            count, first = wrong.get(place, (0, len(order)))
            wrong[place] = count + int(bad[:, place].sum()), min(first, int(rows[bad[:, place]].min()))
        yield x
    faults = Faults()
    for place, (count, first) in sorted(wrong.items()):
        told = {"count": count, "at": source.at(first)}
        faults.add("data.too-large", place=source.place, column=encoder.features[place], **told)
    faults.raise_if_any()
