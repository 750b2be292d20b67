"""The data of a study: one data set a fold, and the tensors of a fold for a stack."""

from collections.abc import Sequence
from typing import TypedDict

import torch

from danlu.base.errors import fail
from danlu.data import Dataset
from danlu.data.memory import MemoryDataset
from danlu.stack import FoldRows


def folds_of(data: Dataset, count: int) -> list[Dataset]:
    """The data once for each fold; the data as they are, with their one validation part, for a count of 1."""
    if count == 1:
        if not data.sizes["validation"]:
            fail("study.needs-validation", name=data.name)
        return [data]
    available = data.sizes["train"] + data.sizes["validation"]
    if count > available:
        fail("study.more-folds-than-samples", folds=count, samples=available)
    return list(data.folds(count))


def fits_a_stack(data: Dataset) -> bool:
    """Whether batches are rows of tensors in memory, which members can share."""
    if not isinstance(data, MemoryDataset) or data.on_disk:
        return False
    return data.augmentation is None and data.task != "language"


class Scoring(TypedDict):
    """What the scores of a stack depend on, besides its members."""

    task: str
    outputs: int
    scale: torch.Tensor | None
    bounds: torch.Tensor | None
    rare: int | None
    naive: float | None


def scoring_of(data: Dataset) -> Scoring:
    """How a stack is scored on these data."""
    return {
        "task": data.task,
        "outputs": data.outputs,
        "scale": data.target_scale if data.task == "regression" else None,
        "bounds": data.bounds,
        "rare": data.rare_class,
        "naive": data.naive_error,
    }


def stack_folds(datasets: Sequence[Dataset], device: torch.device, dtype: torch.dtype) -> list[FoldRows]:
    """Each fold's training and validation rows on the device."""
    folds: list[FoldRows] = []
    for data in datasets:
        assert isinstance(data, MemoryDataset)
        train, validation = data.sizes["train"], data.sizes["validation"]
        x, y = data.x[: train + validation], data.y[: train + validation]
        folds.append(
            FoldRows(
                x.to(device, dtype) if x.is_floating_point() else x.to(device),
                y.to(device, dtype) if y.is_floating_point() else y.to(device),
                torch.arange(train, device=device),
                torch.arange(train, train + validation, device=device) if validation else None,
                data.pixels.on(device, dtype) if data.pixels else None,
            )
        )
    return folds
