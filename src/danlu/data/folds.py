"""Folds for cross-validation: each sample lies in exactly one of them."""

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.seeds import stream


def assign_folds(
    count: int, folds: int, seed: int, *, labels: Tensor | None = None, groups: Tensor | None = None
) -> Tensor:
    """The fold of each of `count` samples, int64 [count] from 0 to folds - 1.

    Folds differ by one sample at most, and with `labels` (int64 [count]) so do a class's numbers in them. With `groups`
    (int64 [count]) each group lies in one fold, and sizes and classes are as even as putting the largest group first
    where it is missed most makes them. `folds` = `count` leaves one out.

    >>> assign_folds(6, 3, seed=0).bincount().tolist()
    [2, 2, 2]
    """
    if not 2 <= folds <= count:
        fail("data.fold-count", found=folds, count=count)
    if groups is not None:
        return _by_group(folds, seed, torch.zeros_like(groups) if labels is None else labels, groups)
    shuffled = torch.randperm(count, generator=stream(seed, "folds"))
    if labels is not None:
        # Class behind class, dealt out like cards: neither a class nor the whole can be uneven by more than one.
        shuffled = shuffled[labels[shuffled].argsort(stable=True)]
    assigned = torch.empty(count, dtype=torch.int64)
    assigned[shuffled] = torch.arange(count) % folds
    return assigned


def _by_group(folds: int, seed: int, labels: Tensor, groups: Tensor) -> Tensor:
    members, sizes = groups.unique(return_inverse=True, return_counts=True)[1:]
    if folds > len(sizes):
        fail("data.fold-groups", found=folds, groups=len(sizes))
    classes = int(labels.max()) + 1
    per_group = torch.zeros(len(sizes), classes, dtype=torch.float64)
    per_group.view(-1).index_add_(0, members * classes + labels, torch.ones(len(labels), dtype=torch.float64))
    totals = per_group.sum(0).clamp_min(1)
    filled = torch.zeros(folds, classes, dtype=torch.float64)
    fold_of = torch.empty(len(sizes), dtype=torch.int64)
    ranked = torch.randperm(len(sizes), generator=stream(seed, "folds"))
    ranked = ranked[sizes[ranked].argsort(descending=True, stable=True)]
    for place, group in enumerate(ranked.tolist()):
        missed = ((filled + per_group[group] / 2) * per_group[group] / totals).sum(1)
        if len(ranked) - place <= int((filled.sum(1) == 0).sum()):
            missed[filled.sum(1) > 0] = torch.inf  # what is left must fill the empty folds
        fold = int(missed.argmin())
        filled[fold] += per_group[group]
        fold_of[group] = fold
    return fold_of[members]
