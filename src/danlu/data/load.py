"""`danlu.load`: whatever the user has, as a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

from danlu.base.errors import Faults, fail, nearest
from danlu.base.files import absolute
from danlu.base.input_files import guarded
from danlu.base.keywords import as_plain
from danlu.base.memory import memory_guard
from danlu.base.naming import listed
from danlu.base.recipe import DataRecipe
from danlu.base.recipe_values import LearnedTask
from danlu.base.sections import section_of
from danlu.data.catalogue import known, names, shapes
from danlu.data.dataset import Builder, Dataset, Making, ReadSource
from danlu.data.decode import is_picture
from danlu.data.folder.scan import ENDINGS
from danlu.data.given_parts import parts_given
from danlu.data.memory import MemoryDataset
from danlu.data.normalisation import NORMALISATIONS
from danlu.data.options import Fold, Options
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.excel import EXCEL
from danlu.data.reconstruction import Reconstruction, build
from danlu.data.sources import Source, read_source
from danlu.data.table.frames import collected, columns_of_rows, is_series, is_tabular
from danlu.data.table.to_predict import columns_of
from danlu.data.tokens import KINDS

TASKS: tuple[str, ...] = get_args(LearnedTask)
PARTITIONS = ("sequential", "random")
_NUMBERS = (
    "validation", "test", "samples", "split_seed", "workers", "image_size", "min_frequency", "steps", "steps_per_epoch",
)  # fmt: skip


Names = str | int | Sequence[str | int] | None


@memory_guard("data")
def load(
    source: Any = None,
    target: str | int | Sequence[str | int] | None = None,
    *,
    name: str | None = None,
    root: str | None = None,
    validation_path: str | Path | None = None, test_path: str | Path | None = None,
    header: bool | None = None, encoding: str | None = None, sheet: str | int | None = None,
    validation: float = 0.1, test: float = 0.2, stream: bool | None = None,
    samples: int | None = None,
    split_seed: int = 0,
    task: str = "auto",
    standardise: bool | None = None, normalise: str | None = None,
    workers: int = 0,
    augment: Any = None, image_size: int | None = None,
    tokens: str | None = None, min_frequency: int | None = None,
    steps: int | None = None,
    partition: str | None = None,
    group: Any = None,
    time: Any = None,
    weight: Any = None,
    weights: Any = None,
    fold: tuple[int, int] | None = None,
    fold_seed: int | None = None,
    refit: bool | None = None,
    steps_per_epoch: int | None = None,
    window: int | None = None, horizon: int | None = None, season: int | None = None,
    columns: Names = None, drop: Names = None, types: Mapping[str, str] | None = None, noise: float | None = None,
) -> Dataset:  # fmt: skip
    """Load a data set: by name, from a file or folder, or from what lies in memory. `Options` says what else there is.

    `source` is a name of the catalogue ("digits" when left out); a path to a table (CSV, TSV, Parquet, JSON, a `sheet`
    of an Excel workbook; also gzipped, or alone in an archive), to a folder of tables or by a pattern ("parts/*.csv");
    a text (.txt, .txt.gz), CIFAR-10's binary archive, a folder with MNIST's four files, or with one of pictures or of
    texts for each class; a pair (x, y) of arrays, tensors or lists (x may be texts); a polars or pandas DataFrame or a
    dict of columns, with `target` naming the column to predict; a torch Dataset or DataLoader; a dict of up to three
    sources of one kind by part ("train", "validation" or "val", "test"), or a tuple of torch data in this order; or a
    Dataset, which comes back. `root` is where a catalogue's lie.

    `target` is the name of a column, or its number (-1 is the last), or a list of them. Only `columns` are features, or
    all but those to `drop`; `types` says what cells are taken for: {"zip": "category"}, or number, text, date. The
    first line of a table names its columns, unless `header` is False. `validation_path` and `test_path` are the other
    parts'. With `stream` the rows of CSV or Parquet are kept on the disk; None does so where they are too many for the
    memory. `weight` is the column of how much each sample counts, `weights` are such numbers beside arrays. `noise` is
    the standard deviation of that on the drawn shapes "moons", "circles", "spiral", "xor" and "gaussians" (0.1).

    >>> load("digits").sizes
    {'train': 1258, 'validation': 180, 'test': 359}
    """
    asked = (validation, test, samples, split_seed, workers, image_size, min_frequency, steps, steps_per_epoch)
    given = {**dict(zip(_NUMBERS, asked, strict=True)), "window": window, "horizon": horizon, "season": season}
    numbers = _numbers(fold=fold, fold_seed=fold_seed, noise=noise, **given)
    options = Options(**{key: getattr(numbers, key) for key in given}, task=task, standardise=standardise)
    keys = {"normalise": normalise, "group": group, "time": time, "refit": bool(refit), "tokens": tokens}
    options = replace(options, **keys, weight=_weight(weight, weights), augment=_steps(augment), partition=partition)
    folded = _fold(numbers.fold, numbers.fold_seed, refit)
    options = replace(options, fold=folded, columns=_names(columns), drop=_names(drop), types=_types(types))
    parts = _given(_opened(source), validation_path, test_path)
    file = FileOptions(header, encoding, None if sheet is None else str(sheet), stream)
    return _load(Source(parts, columns_of(target), name, root, file, numbers.noise), options)


def _opened(source: Any) -> Any:
    """What lies in scikit-learn's Bunch, or in polars' LazyFrame; rows as dicts as columns; all else as it is."""
    if type(source).__name__ == "Bunch" and isinstance(source, dict) and "data" in source and "target" in source:
        return source["data"], source["target"]
    if isinstance(source, tuple) and len(cast(tuple[Any, ...], source)) == 2:
        x, y = cast(tuple[Any, Any], source)
        _refuse_pictures(x)
        return (x.to_list(), y) if is_series(x) else source
    if isinstance(source, list) and is_tabular(source):
        return columns_of_rows(cast(Any, source))
    return collected(cast(Any, source))


def _refuse_pictures(x: Any) -> None:
    """UserError for what stands for pictures and is no array of them yet: paths, and pictures of several sizes."""
    items: list[Any] = x if isinstance(x, list) else []
    if items and all(isinstance(one, str | Path) and str(one).lower().endswith(ENDINGS) for one in items):
        fail("data.paths-beside-target", first=items[0])
    sizes = {one.size for one in items if is_picture(one)}
    if len(sizes) > 1:
        fail("data.picture-sizes", sizes=listed((f"{width}×{height}" for width, height in sorted(sizes)), 5))


def _steps(augment: Any) -> tuple[Any, ...]:
    return (augment,) if isinstance(augment, str) or callable(augment) else tuple(augment or ())


def _names(given: Names) -> tuple[str, ...] | None:
    if given is None or isinstance(given, str | int):
        return None if given is None else (str(given),)
    return tuple(str(one) for one in given)


def _types(given: Mapping[str, str] | None) -> Mapping[str, str] | None:
    named = {str(name): kind for name, kind in given.items()} if isinstance(given, Mapping) else given
    return section_of(DataRecipe, "data", {"types": named}).types or None


def _weight(column: Any, numbers: Any) -> Any:
    if column is not None and numbers is not None:
        fail("data.weight-twice")
    return numbers if column is None else column


def _numbers(**given: Any) -> DataRecipe:
    """The numbers among the options, by the bounds that a recipe has for them. UserError with all that is wrong."""
    return section_of(DataRecipe, "data", {key: as_plain(value) for key, value in given.items()})


def _fold(fold: tuple[int, int] | None, seed: int | None, refit: bool | None) -> Fold | None:
    if fold is None and seed is not None:
        fail("data.fold-seed-alone")
    if fold is not None and refit:
        fail("data.fold-and-refit")
    return None if fold is None else Fold(fold[0], fold[1], seed or 0)


def _given(source: Any, validation_path: str | Path | None, test_path: str | Path | None) -> Any:
    """The source by its name in the catalogue where it has one, and with the files of its other parts."""
    if source is None:
        source = "digits"
    if isinstance(source, str):
        source = known(source) or source
    more = {"validation": validation_path, "test": test_path}
    more = {part: path for part, path in more.items() if path is not None}
    if more and (not isinstance(source, str | Path) or source in names()):
        fail("data.part-paths-alone", keys=", ".join(f"data.{part}_path" for part in more))
    return {"train": source, **more} if more else source


def _load(source: Source, options: Options) -> Dataset:
    _check(options)
    if source.file.stream is not None and not isinstance(source.given, str | Path | dict):
        fail("large.no-table", name=type(source.given).__name__)
    if source.noise is not None and not (isinstance(source.given, str) and source.given in shapes()):
        fail("data.noise-undrawn", name=_shown(source.given), shapes=", ".join(shapes()))
    if source.file != FileOptions() and not isinstance(source.given, str | Path | dict):
        fail("data.file-options", found=type(source.given).__name__)
    if source.file.sheet is not None and not any(str(path).lower().endswith(EXCEL) for path in _paths(source.given)):
        fail("tables.sheet-without-workbook", sheet=source.file.sheet)
    if isinstance(source.given, Dataset):
        return source.given
    making = Making(partial(_builder, replace(source, task=options.task)), options)
    with guarded(_shown(source.given)):
        made = making.read()(options)
    inner = made.inner if isinstance(made, Reconstruction) else made
    if source.file.stream and not (isinstance(inner, MemoryDataset) and inner.on_disk):
        fail("large.no-table", name=made.name)
    return replace(made, making=making, recipe=_recipe(source, options))


def _paths(given: Any) -> list[Any]:
    return list(cast(Mapping[str, Any], given).values()) if isinstance(given, Mapping) else [given]


def _shown(given: Any) -> str:
    return str(given) if isinstance(given, str | Path) else type(given).__name__


def _builder(source: Source) -> Builder:
    read = read_source(source)
    return ReadSource(partial(build, read), read.raw if isinstance(read, ReadSource) else None)


def _check(options: Options) -> None:
    faults = Faults()
    of_names = {"task": TASKS, "tokens": KINDS, "partition": PARTITIONS, "normalise": NORMALISATIONS}
    for key, wanted in of_names.items():
        found = getattr(options, key)
        if found is not None and found not in wanted:
            hint = nearest(str(found), wanted)
            faults.add("data.one-of", key=key, found=found, wanted=", ".join(wanted), hint=hint)
    if options.window is not None and options.task == "reconstruction":
        faults.add("data.series-reconstruction")
    faults.raise_if_any()


def _recipe(source: Source, options: Options) -> DataRecipe | None:
    """What loads the same again; None where something lies only in memory."""
    given = {key.name: getattr(options, key.name) for key in fields(options) if key.name != "fold"}
    given.update(augment=options.augment or None, refit=options.refit or None)
    if any(
        not isinstance(value, str | None) for value in (options.group, options.time, options.weight, *options.augment)
    ):
        return None
    file = source.file
    recipe = DataRecipe(
        target=source.target,
        root=source.root,
        header=file.header,
        encoding=file.encoding,
        sheet=file.sheet,
        stream=file.stream,
        noise=source.noise,
        **given,
    )
    if options.fold:
        recipe = replace(recipe, fold=(options.fold.index, options.fold.count), fold_seed=options.fold.seed or None)
    if isinstance(source.given, str) and source.given in names():
        return replace(recipe, name=source.given)
    if isinstance(source.given, str | Path):
        return replace(recipe, path=_absolute(source.given))
    parts = parts_given(source.given)
    if parts is None or not all(isinstance(one, str | Path) for one in parts.values()):
        return None
    paths = {part: _absolute(one) for part, one in parts.items()}
    return replace(recipe, path=paths["train"], validation_path=paths.get("validation"), test_path=paths.get("test"))


def _absolute(path: str | Path) -> str:
    path = Path(path).expanduser()
    return str(absolute(path))
