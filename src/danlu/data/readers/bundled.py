"""Data sets that ship inside scikit-learn: no download."""

from pathlib import Path
from typing import Any

import numpy
import torch

from danlu.data.images import Images, Pool
from danlu.data.table.columns import Column
from danlu.data.table.load import KnownTable


def read_digits(_: Path) -> Images:
    """1,797 handwritten digits, 8 × 8 pixels of 0 to 16."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(numpy.asarray(pixels, dtype=numpy.uint8).reshape(-1, 1, 8, 8))
    return Images(
        Pool(images, torch.from_numpy(numpy.asarray(labels, dtype=numpy.int64))), None, tuple(range(10)), peak=16.0
    )


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
