"""What the user's loaders tell without being run: how they draw, and what lies in memory."""

from collections.abc import Collection
from typing import Any

import torch
from torch.utils.data import IterableDataset, Subset, TensorDataset

from danlu.watch.conduct import Unfair
from danlu.watch.measured import Measured
from danlu.watch.probes.interleaved import interleaved
from danlu.watch.tracing import unreadable

_MOST_COLUMNS = 64


def read_loaders(measured: Measured, loader: Any, val_loader: Any) -> None:
    """Note how the training loader draws its samples, and how many of the other's samples it holds."""
    sampler = _sampler(loader)
    measured.draws_in_order = type(sampler).__name__ == "SequentialSampler" if sampler is not None else None
    overlap = _overlap(getattr(loader, "dataset", None), getattr(val_loader, "dataset", None))
    measured.declared_overlap, measured.declares_held_out = overlap or 0.0, overlap is not None
    beside = interleaved(loader, val_loader)
    if beside > 0:
        measured.unfair["beside"] = Unfair(0, share=beside)


def _sampler(loader: Any) -> Any:
    """What draws the samples; None where that is not known. A loader that is given whole batches of indices keeps a
    sampler that it never asks, and so does one of samples that come by themselves."""
    if isinstance(getattr(loader, "dataset", None), IterableDataset):
        return None
    batches = getattr(loader, "batch_sampler", None)
    return getattr(loader if batches is None else batches, "sampler", None)


def _overlap(train: Any, held_out: Any) -> float | None:
    """The share of the held-out samples that are training samples too; None where that cannot be told."""
    if isinstance(train, Subset) and isinstance(held_out, Subset) and train.dataset is held_out.dataset:
        wanted: Collection[int] = held_out.indices
        known = set(train.indices)
        return sum(index in known for index in wanted) / max(1, len(wanted))
    if train is not None and train is held_out:
        return 0.0  # whoever gives one data set twice knows
    ours, theirs = _inputs(train), _inputs(held_out)
    if ours is None or theirs is None or ours.shape[1:] != theirs.shape[1:] or ours.dtype != theirs.dtype:
        return None
    known = set(_keys(ours))
    keys = _keys(theirs)
    # Samples of few different values coincide by nature.
    if not keys or len(set(keys)) < 0.9 * len(keys) or len(known) < 0.9 * len(ours):
        return None
    return sum(key in known for key in keys) / len(keys)


def _inputs(dataset: Any) -> torch.Tensor | None:
    rows: list[int] | None = None
    if isinstance(dataset, Subset):
        rows, dataset = list(dataset.indices), dataset.dataset
    if not isinstance(dataset, TensorDataset) or dataset.tensors[0].dim() < 2:
        return None
    if unreadable(dataset.tensors[0]):
        return None
    return dataset.tensors[0] if rows is None else dataset.tensors[0][rows]


def _keys(inputs: torch.Tensor) -> list[bytes]:
    """Each sample's bytes, of evenly spaced numbers where it is large."""
    flat = inputs.detach().flatten(1)
    part = flat[:, :: max(1, flat.shape[1] // _MOST_COLUMNS)].cpu().contiguous()
    return [row.tobytes() for row in part.view(torch.uint8).numpy()]
