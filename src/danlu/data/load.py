"""`danlu.load`: whatever the user has, as a data set."""

from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from danlu.base.errors import Faults, fail, nearest
from danlu.base.recipe import DataRecipe
from danlu.data.catalogue import known, names
from danlu.data.dataset import Builder, Dataset, Making
from danlu.data.options import Fold, Options
from danlu.data.reconstruction import build
from danlu.data.sources import Source, read_source
from danlu.data.text.vocabulary import KINDS

TASKS = ("auto", "classification", "regression", "reconstruction")
PARTITIONS = ("sequential", "random")


def load(
    source: Any = None,
    target: str | None = None,
    *,
    name: str | None = None,
    root: str | None = None,
    validation: float = 0.1,
    test: float = 0.2,
    samples: int | None = None,
    split_seed: int = 0,
    task: str = "auto",
    standardise: bool | None = None,
    workers: int = 0,
    augment: Any = None,
    image_size: int | None = None,
    tokens: str | None = None,
    min_frequency: int | None = None,
    steps: int | None = None,
    partition: str | None = None,
    group: Any = None,
    time: Any = None,
    fold: tuple[int, int] | None = None,
    fold_seed: int | None = None,
    refit: bool | None = None,
    steps_per_epoch: int | None = None,
) -> Dataset:
    """Load a data set: by name, from a file or folder, or from what lies in memory. `Options` says what else there is.

    `source` is a name of the catalogue ("digits" when left out); a path to a table (CSV, TSV, Parquet; also gzipped, or
    alone in a zip or tar archive), to a text (.txt, .txt.gz), to CIFAR-10's binary archive, to a folder with MNIST's
    four files or to one with a folder of JPEG or PNG pictures for each class; a pair (x, y) of arrays, tensors or lists
    (x may be texts); a polars or pandas DataFrame or a dict of columns, with `target` naming the column to predict; a
    torch Dataset or DataLoader; a dict of up to three of those by part ("train", "validation", "test"), or a tuple of
    them in this order; or a Dataset, which comes back as it is. Catalogue data are looked for under `root` first.

    >>> load("digits").sizes
    {'train': 1258, 'validation': 180, 'test': 359}
    >>> load(([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]), test=0.5, validation=0).classes
    ('no', 'yes')
    """
    if fold is None and fold_seed is not None:
        fail("data.fold-seed-alone")
    if fold is not None and refit:
        fail("data.fold-and-refit")
    folded = None if fold is None else Fold(fold[0], fold[1], fold_seed or 0)
    steps_of = (augment,) if isinstance(augment, str) or callable(augment) else tuple(augment or ())
    options = Options(validation, test, split_seed, task, standardise, workers, group, time, folded, bool(refit))
    options = replace(options, tokens=tokens, min_frequency=min_frequency, steps=steps, partition=partition)
    options = replace(
        options, image_size=image_size, augment=steps_of, samples=samples, steps_per_epoch=steps_per_epoch
    )
    if isinstance(source, str):
        source = known(source) or source
    return _load(Source("digits" if source is None else source, target, name, root), options)


def _load(source: Source, options: Options) -> Dataset:
    _check(options)
    if isinstance(source.given, Dataset):
        return source.given
    making = Making(partial(_builder, source), options)
    try:
        return replace(making.read()(options), making=making, recipe=_recipe(source, options))
    except OSError as error:
        fail("data.unreadable", path=error.filename or source.given, reason=error.strerror or error)


def _builder(source: Source) -> Builder:
    return partial(build, read_source(source))


def _check(options: Options) -> None:
    faults = Faults()
    for key, wanted in (("task", TASKS), ("tokens", KINDS), ("partition", PARTITIONS)):
        found = getattr(options, key)
        if found is not None and found not in wanted:
            hint = nearest(str(found), wanted)
            faults.add("data.one-of", key=key, found=found, wanted=", ".join(wanted), hint=hint)
    for key in ("image_size", "min_frequency", "steps", "samples", "steps_per_epoch"):
        found = getattr(options, key)
        if found is not None and found < 1:
            faults.add("data.at-least-one", key=key, found=found)
    faults.raise_if_any()


def _recipe(source: Source, options: Options) -> DataRecipe | None:
    """What loads the same again; None where something lies only in memory."""
    given = {key.name: getattr(options, key.name) for key in fields(options) if key.name != "fold"}
    given.update(augment=options.augment or None, refit=options.refit or None)
    if any(not isinstance(value, str | None) for value in (options.group, options.time, *options.augment)):
        return None
    recipe = DataRecipe(target=source.target, root=source.root, **given)
    if options.fold:
        recipe = replace(recipe, fold=(options.fold.index, options.fold.count), fold_seed=options.fold.seed or None)
    if isinstance(source.given, str) and source.given in names():
        return replace(recipe, name=source.given)
    if isinstance(source.given, str | Path):
        return replace(recipe, path=str(Path(source.given).expanduser().absolute()))
    return None
