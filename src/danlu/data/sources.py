"""From a source to what makes a data set of it: the source is read once, and told what it is."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from danlu.base.errors import fail, nearest
from danlu.base.input_files import path_kind, refuse_irregular
from danlu.data.catalogue import entry, names
from danlu.data.dataset import Builder, Origin, ReadSource
from danlu.data.fetch import locate
from danlu.data.folder.load import folder_builder, listing_builder
from danlu.data.folder.shards import archives_of, by_name, read_archives
from danlu.data.folder.tar_index import holds_pictures, is_tar
from danlu.data.given_arrays import arrays_builder
from danlu.data.given_parts import (
    is_text_list,
    labelled_texts,
    pairs_builder,
    parts_builder,
    parts_given,
    tagged_builder,
    text_builder,
)
from danlu.data.images import Images, image_dataset
from danlu.data.large.files import is_large
from danlu.data.raw_pools import raw_images, raw_texts
from danlu.data.readers.cifar import is_cifar, read_cifar
from danlu.data.readers.conll import is_conll, read_conll
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.idx import idx_file, read_idx_folder
from danlu.data.readers.idx_files import IDX_STEMS
from danlu.data.readers.several_files import files_of, is_pattern, tables_in
from danlu.data.readers.table_file import is_archive, read_table
from danlu.data.readers.text_file import is_text, read_text
from danlu.data.table.frames import is_frame, sheet_of
from danlu.data.table.load import KnownTable, source_of
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns
from danlu.data.table_builder import files_builder, folder_of_tables, large_builder, sheets_builder, table_builder
from danlu.data.targets import Labels
from danlu.data.text.corpus import Corpus, corpus_dataset
from danlu.data.text.pairs import Pairs
from danlu.data.text.sequences import Texts, text_dataset
from danlu.data.text.tagged import is_tagged, tagged_pair
from danlu.data.text.tagged_texts import Tagged
from danlu.data.text_folder import find_texts, texts_builder
from danlu.data.torch_data import is_torch_data


@dataclass(frozen=True, eq=False)
class Source:
    """What a user gave to load: the first arguments of `danlu.load`."""

    given: Any
    target: Columns | None = None
    name: str | None = None
    root: str | None = None
    file: FileOptions = field(default_factory=FileOptions)
    noise: float | None = None  # of data that are drawn
    task: str = "auto"  # which decides where a folder could be read in several ways


def read_source(source: Source) -> Builder:
    """Read `source`; what comes back makes a data set of it, as often as wanted, with any options."""
    given, target = source.given, source.target
    if isinstance(given, str) and given in names():
        found = entry(given)
        path = locate(found, source.root) if found.layouts else None
        origin = Origin(str(path) if path else None, found.licence, found.page, found.title, bundled=not found.layouts)
        noisy = None if source.noise is None else found.drawn
        read = found.reader(path or Path()) if noisy is None else noisy(source.noise or 0.0)
        return _builder(read, source.name or given, origin, target)
    if isinstance(given, tuple | list) and len(given) == 2 and not is_torch_data(given[0]):
        _refuse_target(target, source.name or "arrays")
        pools = {"train": (given[0], given[1])}
        if is_tagged(*given):
            return tagged_builder(source.name or "texts", {"train": tagged_pair(*given)})
        if is_text_list(given[0]):
            return ReadSource(partial(labelled_texts, source.name or "texts", pools), partial(raw_texts, pools))
        return arrays_builder(source.name or "arrays", pools)
    if isinstance(given, str | Path):
        return _from_path(Path(given).expanduser(), source)
    if parts := parts_given(given):
        return parts_builder(parts, target, source.name, source.file)
    if is_frame(given) or (isinstance(given, dict) and target is not None):
        table = source_of({"train": sheet_of(given)}, target)
        return table_builder(source.name or "table", table, target)
    return fail("data.unknown-source", found=type(given).__name__)


def _builder(
    read: Images | KnownTable | Texts | Corpus | Tagged | Pairs, name: str, origin: Origin, target: Columns | None
) -> Builder:
    """What makes a data set of that which a reader gave."""
    if isinstance(read, KnownTable):
        table = TableSource(read.table, origin.path or name, read.notes, read.lines)
        return table_builder(name, table, target or read.target, origin)
    _refuse_target(target, name)
    if isinstance(read, Images):
        return ReadSource(lambda options: image_dataset(name, read, options, origin), partial(raw_images, read))
    if isinstance(read, Corpus):
        return lambda options: corpus_dataset(name, read, options, origin)
    if isinstance(read, Pairs):
        return pairs_builder(name, {"train": read}, origin)
    if isinstance(read, Tagged):
        return tagged_builder(name, {"train": read}, origin)
    pools = {"train": read.train, **({"test": read.test} if read.test else {})}
    target_of, cut_into = Labels(read.classes), read.tokens
    raw = partial(raw_texts, {part: (x, target_of.decode(y).tolist()) for part, (x, y) in pools.items()})
    return ReadSource(lambda options: text_dataset(name, pools, target_of, options, cut_into, origin), raw)


def _refuse_target(target: Columns | None, name: str) -> None:
    if target is not None:
        fail("data.target-without-table", target=target if isinstance(target, str) else ",".join(target), name=name)


def _from_path(path: Path, source: Source) -> Builder:
    given, target, name, file = source.given, source.target, source.name, source.file
    kind = path_kind(path)
    if path.name in ("", "..") and kind == "folder":
        name = name or path.resolve().name
    if is_pattern(path):
        files, called = files_of(path), name or path.absolute().parent.name
        if all(is_tar(one) for one in files) and holds_pictures(files[0]):
            _refuse_target(target, called)
            return listing_builder(called, read_archives(by_name(files)))
        return files_builder(called, path, files, target, file)
    if kind == "missing":
        if isinstance(given, str) and path.name == given and not path.suffix:
            fail("data.unknown-name", name=given, names=", ".join(names()), hint=nearest(given, names()))
        siblings = [file.name for file in path.parent.iterdir()] if path_kind(path.parent) == "folder" else []
        fail("data.missing-file", path=path, hint=nearest(path.name, siblings))
    refuse_irregular(path)
    origin, stem = Origin(str(path)), name or path.name.split(".")[0]
    if (kind == "folder" or is_tar(path)) and (archives := archives_of(path)):
        _refuse_target(target, stem)
        return listing_builder(stem, read_archives(archives))
    if (kind == "folder" or is_archive(path)) and is_cifar(path):
        return _builder(read_cifar(path), name or "cifar10", origin, target)
    if kind == "folder":
        if all(idx_file(path, file) for file in IDX_STEMS):
            return _builder(read_idx_folder(path), name or path.name, origin, target)
        if tables := tables_in(path):
            return folder_of_tables(name or path.name, path, tables, target, file)
        if listing := find_texts(path):
            _refuse_target(target, name or path.name)
            return texts_builder(name or path.name, listing, file.encoding)
        return folder_builder(name or path.name, path, task=source.task)
    if is_text(path) and target is None:
        text, notes = read_text(path, file.encoding)
        return text_builder(stem, Corpus(text, notes=notes), {"train": (path, text)}, origin)
    if is_conll(path) and target is None:
        return tagged_builder(stem, {"train": read_conll(path, file.encoding)}, origin)
    if is_large([path], file.stream):
        return large_builder(stem, path, {"train": [path]}, target, file)
    return sheets_builder(stem, {"train": read_table(path, file)}, target, origin)
