"""`danlu.load`: whatever the user has, as a data set."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import fail, nearest
from danlu.base.recipe import DataRecipe
from danlu.data.arrays import array_dataset
from danlu.data.catalogue import entry, names
from danlu.data.dataset import PARTS, Dataset, Origin
from danlu.data.fetch import locate
from danlu.data.images import image_dataset
from danlu.data.options import Options
from danlu.data.readers.cifar import is_cifar, read_cifar
from danlu.data.readers.frames import is_frame, table_of
from danlu.data.readers.idx import IDX_STEMS, idx_file, read_idx_folder
from danlu.data.readers.table_file import is_archive, read_table
from danlu.data.table.load import table_dataset
from danlu.data.torch_data import is_torch_data, torch_dataset

TASKS = ("auto", "classification", "regression")


def load(
    source: Any = None,
    target: str | None = None,
    *,
    name: str | None = None,
    root: str | None = None,
    validation: float = 0.1,
    test: float = 0.2,
    split_seed: int = 0,
    task: str = "auto",
    standardise: bool | None = None,
    workers: int = 0,
) -> Dataset:
    """Load a data set: by name, from a file, or from what lies in memory.

    `source` is a name of the catalogue ("digits" when left out), a path to a table (CSV, TSV, Parquet; also gzipped, or
    alone in a zip or tar archive) or to CIFAR-10's binary archive or a folder with MNIST's four files; a pair (x, y) of
    arrays, tensors or lists; a polars or pandas DataFrame or a dict of columns, with `target` naming the column to
    predict; a torch Dataset or DataLoader; a dict of up to three of those by part ("train", "validation", "test"), or a
    tuple of them in this order; or a Dataset, which comes back as it is.

    `validation` and `test` are shares of all samples (where the source has a test part of its own, it is kept, and
    `validation` is a share of the rest); the split is drawn from `split_seed`, and for classification every class keeps
    its share. `standardise` None: tables and images yes, arrays no. `workers` processes read data that is streamed.

    >>> load("digits").sizes
    {'train': 1258, 'validation': 180, 'test': 359}
    >>> load(([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]), test=0.5, validation=0).classes
    ('no', 'yes')
    """
    if task not in TASKS:
        fail("data.task", found=task, wanted=", ".join(TASKS), hint=nearest(task, TASKS))
    options = Options(validation, test, split_seed, task, standardise, workers)
    if isinstance(source, Dataset):
        return source
    if source is None:
        source = "digits"
    recipe = DataRecipe(
        target=target,
        root=root,
        validation=validation,
        test=test,
        split_seed=split_seed,
        task=cast(Any, task),
        standardise=standardise,
        workers=workers,
    )
    if isinstance(source, str) and source in names():
        return replace(_by_name(source, name, root, options), recipe=replace(recipe, name=source))
    if isinstance(source, tuple | list) and len(source) == 2 and not is_torch_data(source[0]):
        return array_dataset(name or "arrays", {"train": (source[0], source[1])}, options)
    if is_frame(source) or (isinstance(source, dict) and target is not None):
        return table_dataset(name or "table", table_of(source), target, options, place="table")
    if isinstance(source, str | Path):
        dataset = _from_path(Path(source).expanduser(), source, target, name, options)
        return replace(dataset, recipe=replace(recipe, path=str(Path(source).expanduser().absolute())))
    sources = _torch_sources(source)
    if sources is None:
        fail("data.unknown-source", found=type(source).__name__)
    return torch_dataset(name or "torch", sources, options)


def _by_name(known: str, name: str | None, root: str | None, options: Options) -> Dataset:
    found = entry(known)
    path = locate(found, root) if found.files else None
    origin = Origin(str(path) if path else None, found.licence, found.page, found.title)
    return image_dataset(name or known, found.reader(path or Path()), options, origin)


def _from_path(path: Path, source: str | Path, target: str | None, name: str | None, options: Options) -> Dataset:
    if not path.exists():
        if isinstance(source, str) and path.name == source and not path.suffix:
            fail("data.unknown-name", name=source, names=", ".join(names()), hint=nearest(source, names()))
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        fail("data.missing-file", path=path, hint=nearest(path.name, siblings))
    if (path.is_dir() or is_archive(path)) and is_cifar(path):
        return image_dataset(name or "cifar10", read_cifar(path), options, Origin(str(path)))
    if path.is_dir():
        if all(idx_file(path, stem) for stem in IDX_STEMS):
            return image_dataset(name or path.name, read_idx_folder(path), options, Origin(str(path)))
        fail("data.folder", path=path)
    table, notes = read_table(path)
    return table_dataset(
        name or path.name.split(".")[0], table, target, options, place=str(path), origin=Origin(str(path)), notes=notes
    )


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
