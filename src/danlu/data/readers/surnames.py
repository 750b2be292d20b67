"""Surnames with the nation each comes from: two CSV files without a header, the second of which is the test part."""

import csv
import io
from pathlib import Path

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.naming import listed
from danlu.base.text_encoding import decode
from danlu.data.readers.text_file import read_bytes
from danlu.data.text.sequences import Texts


def read_surnames(path: Path) -> Texts:
    """`path` is the training file; that of the test part lies beside it."""
    train_names, train_nations = _read(path)
    test_names, test_nations = _read(_beside(path))
    classes = tuple(sorted(set(train_nations)))
    strange = sorted(set(test_nations) - set(classes))
    if strange:
        fail("data.strange-classes", path=path.parent, part="test", classes=listed(strange))
    return Texts((train_names, _labels(train_nations, classes)), (test_names, _labels(test_nations, classes)), classes)


def _beside(path: Path) -> Path:
    """The test file, gzipped or not, whatever the training file is."""
    stem = path.name.removesuffix(".gz").replace("train", "test")
    found = next((path.with_name(name) for name in (stem, f"{stem}.gz") if path.with_name(name).is_file()), None)
    return found or fail("data.missing-file", path=path.with_name(stem), hint="")


def _read(path: Path) -> tuple[list[str], list[str]]:
    rows = csv.reader(io.StringIO(decode(read_bytes(path), path).text))
    names: list[str] = []
    nations: list[str] = []
    for row in rows:
        if len(row) != 2:
            fail("data.ragged", path=path, line=rows.line_num, found=len(row), wanted=2)
        names.append(row[0].strip())
        nations.append(row[1].strip())
    if not names:
        fail("data.empty-file", path=path)
    return names, nations


def _labels(nations: list[str], classes: tuple[str, ...]) -> Tensor:
    return torch.tensor([classes.index(nation) for nation in nations], dtype=torch.int64)
