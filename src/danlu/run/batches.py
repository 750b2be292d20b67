"""The training part as the loop takes it: batch after batch, several put together where gradients are accumulated."""

from collections.abc import Iterator
from itertools import islice

import torch

from danlu.base.recipe import Recipe
from danlu.data import Dataset
from danlu.train.distributed.group import TrainingGroup
from danlu.train.distributed.shares import Share, Sharing
from danlu.train.engine import Batch


def steps_per_epoch(recipe: Recipe, data: Dataset) -> int:
    """How many steps `training_batches` makes of an epoch."""
    size, together = _portions(recipe, data)
    return -(-data.batch_count("train", size) // together)


def training_batches(
    recipe: Recipe,
    data: Dataset,
    epoch: int,
    start: int,
    device: torch.device,
    dtype: torch.dtype,
    group: TrainingGroup | None = None,
) -> Iterator[Batch]:
    """One batch a step, of batch_size · accumulate samples, from step `start` of the epoch on. Where samples have
    weights of their own, these are the first column of the targets.

    What is streamed is read by that process of the `group` alone which computes it: its batches are a `Share`.
    """
    size, together = _portions(recipe, data)
    data = data.weighted() or data
    shared = None
    if group is not None and group.world > 1 and together == 1:
        sharing = Sharing(recipe.train.workers or group.world, group.rank, group.world)
        shared = data.shared(sharing.slice_of)
    drawn = (shared or data).batches(
        "train",
        size,
        seed=recipe.train.seed,
        epoch=epoch,
        start=start * together,
        shuffle=recipe.data.shuffle,
        augment=True,
        device=device,
        dtype=dtype,
    )
    if shared:
        return _shares(drawn, size, start, data.sizes["train"])
    return drawn if together == 1 else _joined(drawn, together)


def _shares(batches: Iterator[Batch], size: int, start: int, count: int) -> Iterator[Batch]:
    """This process's parts of batches, each with the number of samples that the whole batch has."""
    for number, (inputs, targets) in enumerate(batches, start):
        yield Share.of(inputs, targets, min(size, count - number * size))


def _portions(recipe: Recipe, data: Dataset) -> tuple[int, int]:
    """How large the batches are that the data are asked for, and how many of them make a step."""
    size, accumulate = recipe.train.batch_size, recipe.train.accumulate
    assert size is not None
    return (size * accumulate, 1) if data.own_batch_size is None else (size, accumulate)


def _joined(batches: Iterator[Batch], together: int) -> Iterator[Batch]:
    while portion := list(islice(batches, together)):
        inputs, targets = zip(*portion, strict=True)
        yield torch.cat(inputs), torch.cat(targets)
