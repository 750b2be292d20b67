"""The choices that `load` passes on to whatever kind of source it finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from danlu.base.errors import Fault, Faults


@dataclass(frozen=True)
class Fold:
    """Fold number `index` of `count`, drawn from `seed`: it is the validation part, the others are trained on."""

    index: int
    count: int
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Options:
    """What `danlu.load` takes besides the source.

    *Split.* `validation` and `test` are shares of all samples; where the source has a test part of its own, it is kept,
    and `validation` is a share of the rest. The split is drawn from `split_seed`, and for classification every class
    keeps its share. With `group` (a column's name, or an array of one value a sample) no group stands in two parts;
    with `time` (the same, or "rows" for the order as it is) the last samples are held out. A running text is always
    held out at its end. `fold` (i, k) makes fold i of k, drawn from `fold_seed`, the validation part: see
    `Dataset.folds`. With `refit` the validation part is trained on as well: for the last training, when all is chosen.
    `samples` leaves so many to train on, at most; fewer are a part of more, and the other parts stay as they are.

    *Tables, arrays, pictures.* `task` is "classification", "regression" or "auto". `standardise` None: tables, arrays
    [N, F] and pictures yes, but for pictures in arrays of floats that lie from 0 to 1; False: nothing is, targets
    neither. `augment` is for pictures of the training part: names from "crop", "flip", "rotation",
    "cutout", with an amount if wanted ("crop:4", "rotation:10"), or callables that take one Pillow picture each.
    `image_size` is the side of the squares that pictures are brought to. `normalise` "imagenet" or "symmetric" (to
    -1 … 1) takes that mean and deviation for pictures, and not those of the training part ("data").

    *Time series.* With `window` the rows of a table, in the order of `time`, become windows of so many, each with the
    target's next `horizon` values (1); `group` names the series. See `danlu.data.series.load`. `season` is for the
    naive forecast that the score stands beside.

    *Texts.* A text is cut into `tokens` "characters" or "words"; those that the training part has fewer of than
    `min_frequency` are unknown. A running text comes in samples of `steps` tokens (35) that follow each other
    (`partition` "sequential") or not ("random"); labelled texts are cut off after `steps` tokens where it is given.

    *Columns of a table.* Only `columns` are features, or all but those in `drop`; what orders, groups or weights the
    rows still does. `types` says what the cells of a column are taken for: "category", "number", "text" or "date".

    `steps_per_epoch` batches make an epoch of a stream whose order and length are its own; every epoch begins it anew.

    `weight` (a column's name, or an array of one value a sample of the training pool) says how much each sample counts
    in the loss; such a column is no feature.

    `workers` processes read data that are streamed, and run callables.
    """

    validation: float = 0.1
    test: float = 0.2
    split_seed: int = 0
    task: str = "auto"
    standardise: bool | None = None
    normalise: str | None = None
    workers: int = 0
    group: Any = None
    time: Any = None
    weight: Any = None
    fold: Fold | None = None
    refit: bool = False
    samples: int | None = None
    tokens: str | None = None
    min_frequency: int | None = None
    steps: int | None = None
    partition: str | None = None
    image_size: int | None = None
    augment: tuple[Any, ...] = ()
    steps_per_epoch: int | None = None
    window: int | None = None
    horizon: int | None = None
    season: int | None = None
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None
    types: Mapping[str, str] | None = None


PICTURES, NUMBERS, TEXTS, RUNNING_TEXT, SERIES = "pictures", "numbers", "texts", "running-text", "series"
# What an option is for, in words, and the kinds of data it says something to.
_MEANT_FOR = {
    "augment": ("pictures", (PICTURES,)),
    "image_size": ("pictures", (PICTURES,)),
    "weight": ("rows", (NUMBERS,)),
    "standardise": ("numbers", (NUMBERS, PICTURES, SERIES)),
    "normalise": ("pictures", (PICTURES,)),
    "tokens": ("texts", (TEXTS, RUNNING_TEXT)),
    "min_frequency": ("texts", (TEXTS, RUNNING_TEXT)),
    "steps": ("texts", (TEXTS, RUNNING_TEXT)),
    "partition": ("running-text", (RUNNING_TEXT,)),
    "steps_per_epoch": ("streams", ()),
    "samples": ("separate-samples", (NUMBERS, PICTURES, TEXTS, SERIES)),
    "window": ("series", (SERIES,)),
    "horizon": ("series", (SERIES,)),
    "season": ("series", (SERIES,)),
    "columns": ("tables", ()),
    "drop": ("tables", ()),
    "types": ("tables", ()),
}


def refuse_unfit(options: Options, name: str, kind: str, tasks: tuple[str, ...] = ()) -> None:
    """UserError with all options that say nothing to data of a `kind`, or ask for another task than one of `tasks`."""
    faults = Faults()
    for key, (wanted, kinds) in _MEANT_FOR.items():
        value = getattr(options, key)
        if (key, value) == ("normalise", "data"):
            continue  # what is done to any data
        if (value is not None if key == "weight" else value) and kind not in kinds:
            faults.add("data.option-unfit", name=name, key=f"data.{key}", wanted=Fault(f"data.for-{wanted}"))
    if tasks and options.task not in tasks:
        faults.add("data.task-unfit", name=name, found=options.task, wanted=", ".join(tasks))
    faults.raise_if_any()
