"""From a source to what makes a data set of it: the source is read once, and told what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault, fail, nearest
from danlu.data.arrays import array_dataset
from danlu.data.catalogue import entry, names
from danlu.data.dataset import PARTS, Builder, Dataset, Origin
from danlu.data.fetch import locate
from danlu.data.folder.load import folder_builder
from danlu.data.images import Images, image_dataset
from danlu.data.options import Options
from danlu.data.readers.cifar import is_cifar, read_cifar
from danlu.data.readers.frames import is_frame, table_of
from danlu.data.readers.idx import IDX_STEMS, idx_file, read_idx_folder
from danlu.data.readers.table_file import is_archive, read_table
from danlu.data.readers.text_file import is_text, read_text
from danlu.data.table.load import KnownTable, table_dataset
from danlu.data.targets import Labels, read_target
from danlu.data.text.corpus import Corpus, corpus_dataset
from danlu.data.text.sequences import Texts, text_dataset
from danlu.data.torch_data import is_torch_data, torch_dataset


@dataclass(frozen=True, eq=False)
class Source:
    """What a user gave to load: the first arguments of `danlu.load`."""

    given: Any
    target: str | None = None
    name: str | None = None
    root: str | None = None


def read_source(source: Source) -> Builder:
    """Read `source`; what comes back makes a data set of it, as often as wanted, with any options."""
    given, target = source.given, source.target
    if isinstance(given, str) and given in names():
        found = entry(given)
        path = locate(found, source.root) if found.layouts else None
        origin = Origin(str(path) if path else None, found.licence, found.page, found.title, bundled=not found.layouts)
        return _builder(found.reader(path or Path()), source.name or given, origin, target)
    if isinstance(given, tuple | list) and len(given) == 2 and not is_torch_data(given[0]):
        _refuse_target(target, source.name or "arrays")
        if _is_text(given[0]):
            return partial(_labelled_texts, source.name or "texts", list(given[0]), numpy.asarray(given[1]))
        return partial(array_dataset, source.name or "arrays", {"train": (given[0], given[1])})
    if is_frame(given) or (isinstance(given, dict) and target is not None):
        return partial(_table, source.name or "table", table_of(given), target, Origin(), (), "table")
    if isinstance(given, str | Path):
        return _from_path(Path(given).expanduser(), given, target, source.name)
    sources = _torch_sources(given)
    if sources is None:
        fail("data.unknown-source", found=type(given).__name__)
    _refuse_target(target, source.name or "torch")
    return partial(torch_dataset, source.name or "torch", sources)


def _builder(read: Images | KnownTable | Texts | Corpus, name: str, origin: Origin, target: str | None) -> Builder:
    """What makes a data set of that which a reader gave."""
    if isinstance(read, KnownTable):
        return partial(_table, name, read.table, target or read.target, origin, read.notes, origin.path or name)
    _refuse_target(target, name)
    if isinstance(read, Images):
        return lambda options: image_dataset(name, read, options, origin)
    if isinstance(read, Corpus):
        return lambda options: corpus_dataset(name, read, options, origin)
    pools = {"train": read.train, **({"test": read.test} if read.test else {})}
    return lambda options: text_dataset(name, pools, Labels(read.classes), options, read.tokens, origin)


def _refuse_target(target: str | None, name: str) -> None:
    if target is not None:
        fail("data.target-without-table", target=target, name=name)


def _from_path(path: Path, given: str | Path, target: str | None, name: str | None) -> Builder:
    if not path.exists():
        if isinstance(given, str) and path.name == given and not path.suffix:
            fail("data.unknown-name", name=given, names=", ".join(names()), hint=nearest(given, names()))
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        fail("data.missing-file", path=path, hint=nearest(path.name, siblings))
    origin, stem = Origin(str(path)), name or path.name.split(".")[0]
    if (path.is_dir() or is_archive(path)) and is_cifar(path):
        return _builder(read_cifar(path), name or "cifar10", origin, target)
    if path.is_dir():
        if all(idx_file(path, file) for file in IDX_STEMS):
            return _builder(read_idx_folder(path), name or path.name, origin, target)
        return folder_builder(name or path.name, path)
    if is_text(path) and target is None:
        return _builder(Corpus(read_text(path)), stem, origin, target)
    table, notes = read_table(path)
    return partial(_table, stem, table, target, origin, notes, str(path))


def _table(
    name: str,
    table: Any,
    target: str | None,
    origin: Origin,
    notes: tuple[Fault, ...],
    place: str,
    options: Options,
) -> Dataset:
    return table_dataset(name, table, target, options, place=place, origin=origin, notes=notes)


def _labelled_texts(name: str, texts: list[str], labels: Any, options: Options) -> Dataset:
    if len(texts) != len(labels):
        fail("data.lengths-differ", x=len(texts), y=len(labels))
    y, target = read_target(labels, "classification", Fault("data.place-y"))
    assert isinstance(target, Labels)
    return text_dataset(name, {"train": (texts, y)}, target, options, "characters", Origin())


def _is_text(x: Any) -> bool:
    if isinstance(x, numpy.ndarray):
        return x.dtype.kind == "U" or (x.dtype == object and x.ndim == 1 and len(x) > 0 and isinstance(x[0], str))
    return isinstance(x, list | tuple) and len(x) > 0 and all(isinstance(text, str) for text in x)


def _torch_sources(source: Any) -> dict[str, Any] | None:
    """torch Datasets or DataLoaders by part; None where `source` is nothing of the kind."""
    if is_torch_data(source):
        return {"train": source}
    named: dict[str, Any] = {}
    if isinstance(source, Mapping):
        named.update(source)
    elif isinstance(source, tuple | list) and len(source) <= len(PARTS):
        named.update(zip(PARTS, source, strict=False))
    if not named or not all(is_torch_data(one) for one in named.values()):
        return None
    strange = [part for part in named if part not in PARTS]
    if strange or "train" not in named:
        fail("data.part-names", found=", ".join(map(str, named)), wanted=", ".join(PARTS))
    return named
