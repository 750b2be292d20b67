"""`danlu.load`: whatever the user has, as a data set."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Faults, nearest
from danlu.base.recipe import DataRecipe
from danlu.data.catalogue import names
from danlu.data.dataset import Dataset, Making
from danlu.data.options import Fold, Options
from danlu.data.sources import Source, read_source
from danlu.data.text.vocabulary import KINDS

TASKS = ("auto", "classification", "regression")
PARTITIONS = ("sequential", "random")


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
) -> Dataset:
    """Load a data set: by name, from a file, or from what lies in memory.

    `source` is a name of the catalogue ("digits" when left out); a path to a table (CSV, TSV, Parquet; also gzipped, or
    alone in a zip or tar archive), to a text (.txt, .txt.gz), to CIFAR-10's binary archive, to a folder with MNIST's
    four files or to one with a folder of JPEG or PNG pictures for each class; a pair (x, y) of arrays, tensors or lists
    (x may be texts); a polars or pandas DataFrame or a dict of columns, with `target` naming the column to predict; a
    torch Dataset or DataLoader; a dict of up to three of those by part ("train", "validation", "test"), or a tuple of
    them in this order; or a Dataset, which comes back as it is.

    `validation` and `test` are shares of all samples (where the source has a test part of its own, it is kept, and
    `validation` is a share of the rest). The split is drawn from `split_seed`, and for classification every class keeps
    its share. With `group` (a column's name, or an array of one value a sample) no group stands in two parts; with
    `time` (the same, or "rows" for the order as it is) the last samples are held out. `fold` (i, k) makes fold i of k,
    drawn from `fold_seed`, the validation part: see `Dataset.folds`. A text is always held out at its end.

    `standardise` None: tables and images yes, arrays no. `augment` is for pictures of the training part: names from
    "crop", "flip", "rotation", "cutout", with an amount if wanted ("crop:4"), or callables that take one Pillow picture
    each. `image_size` is the side of the squares that a folder's pictures are brought to. A text is cut into `tokens`
    "characters" or "words", those with fewer than `min_frequency` in the training part being unknown, in samples of
    `steps` that follow each other (`partition` "sequential") or not ("random"). `workers` processes read data that is
    streamed, and run callables.

    >>> load("digits").sizes
    {'train': 1258, 'validation': 180, 'test': 359}
    >>> load(([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]), test=0.5, validation=0).classes
    ('no', 'yes')
    """
    augment = (augment,) if isinstance(augment, str) or callable(augment) else tuple(augment or ())
    options = Options(
        validation=validation,
        test=test,
        split_seed=split_seed,
        task=task,
        standardise=standardise,
        workers=workers,
        group=group,
        time=time,
        fold=None if fold is None else Fold(fold[0], fold[1], fold_seed or 0),
        tokens=tokens,
        min_frequency=min_frequency,
        steps=steps,
        partition=partition,
        image_size=image_size,
        augment=augment,
    )
    _check(options)
    if isinstance(source, Dataset):
        return source
    source = "digits" if source is None else source
    making = Making(partial(read_source, Source(source, target, name, root)), options)
    recipe = DataRecipe(
        target=target,
        root=root,
        validation=validation,
        test=test,
        split_seed=split_seed,
        task=cast(Any, task),
        standardise=standardise,
        workers=workers,
        augment=augment or None,
        image_size=image_size,
        tokens=cast(Any, tokens),
        min_frequency=min_frequency,
        steps=steps,
        partition=cast(Any, partition),
        group=group,
        time=time,
        fold=fold,
        fold_seed=fold_seed,
    )
    return replace(making.read()(options), making=making, recipe=_located(recipe, source))


def _check(options: Options) -> None:
    faults = Faults()
    for key, wanted in (("task", TASKS), ("tokens", KINDS), ("partition", PARTITIONS)):
        found = getattr(options, key)
        if found is not None and found not in wanted:
            hint = nearest(str(found), wanted)
            faults.add("data.one-of", key=key, found=found, wanted=", ".join(wanted), hint=hint)
    for key in ("image_size", "min_frequency", "steps"):
        found = getattr(options, key)
        if found is not None and found < 1:
            faults.add("data.at-least-one", key=key, found=found)
    faults.raise_if_any()


def _located(recipe: DataRecipe, source: Any) -> DataRecipe | None:
    """The recipe with where the data come from; None where something in it lies only in memory."""
    if any(not isinstance(key, str | None) for key in (recipe.group, recipe.time, *(recipe.augment or ()))):
        return None
    if isinstance(source, str) and source in names():
        return replace(recipe, name=source)
    if isinstance(source, str | Path):
        return replace(recipe, path=str(Path(source).expanduser().absolute()))
    return None
