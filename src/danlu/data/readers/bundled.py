"""Data sets that ship inside scikit-learn: no download."""

import gzip
import importlib.util
from pathlib import Path
from typing import Any

import numpy
import torch

from danlu.data.images import Images, Pool
from danlu.data.table.columns import Column
from danlu.data.table.load import KnownTable


def read_digits(_: Path) -> Images:
    """1,797 handwritten digits, 8 × 8 pixels of 0 to 16."""
    rows = _digits()
    images = torch.from_numpy(rows[:, :64].astype(numpy.uint8).reshape(-1, 1, 8, 8))
    return Images(Pool(images, torch.from_numpy(rows[:, 64].astype(numpy.int64))), None, tuple(range(10)), peak=16.0)


def _digits() -> "numpy.ndarray[Any, Any]":
    """64 pixels and a label a row, from the file: to import scikit-learn takes as long as to import torch."""
    if file := shipped_file("digits.csv.gz"):
        with gzip.open(file, "rt", encoding="ascii") as lines:
            return numpy.loadtxt(lines, delimiter=",", dtype=numpy.int64)
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return numpy.column_stack([pixels, labels])


def shipped_file(name: str) -> Path | None:
    """A file of data inside scikit-learn; None where this version of it keeps that elsewhere."""
    found = importlib.util.find_spec("sklearn")
    folders = [Path(folder) for folder in (found and found.submodule_search_locations) or ()]
    files = [folder / "datasets" / "data" / name for folder in folders]
    return next((file for file in files if file.is_file()), None)


def read_bundled_table(name: str, target: str, _: Path) -> KnownTable:
    """The table `name` of scikit-learn, in the units it was measured in; `target` is what to call its target."""
    from sklearn import datasets

    options: dict[str, Any] = {"scaled": False} if name == "diabetes" else {}
    bunch: Any = getattr(datasets, f"load_{name}")(**options)
    table = {
        feature: Column("number", numpy.asarray(bunch.data[:, place], dtype=numpy.float64))
        for place, feature in enumerate(bunch.feature_names)
    }
    names = getattr(bunch, "target_names", None)
    if names is None:
        table[target] = Column("number", numpy.asarray(bunch.target, dtype=numpy.float64))
    else:
        table[target] = Column("text", numpy.array([str(names[label]) for label in bunch.target], dtype=object))
    return KnownTable(table, target)
