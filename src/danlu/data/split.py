"""Which sample goes into which part: seeded, disjoint, and with every class in its share."""

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.seeds import stream

Rows = dict[str, Tensor]
"""Row numbers of each part, int64, ascending."""


def split(count: int, validation: float, test: float, seed: int, labels: Tensor | None = None) -> Rows:
    """Split `count` samples into train, validation and test; the shares are of all samples, 0 leaves a part empty.

    With `labels` (int64 [count]) each part has of every class its share within one sample, and the training part keeps
    at least one sample of each class; where classes are too small for that, the split is drawn without regard to them.
    A share above 0 takes at least one sample.

    >>> {part: len(rows) for part, rows in split(10, 0.1, 0.2, seed=0).items()}
    {'train': 7, 'validation': 1, 'test': 2}
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        fail("data.shares", validation=validation, test=test)
    wanted = {"test": _share(count, test), "validation": _share(count, validation)}
    if sum(wanted.values()) >= count:
        fail("data.too-few-samples", count=count, **wanted)
    stratified = None if labels is None else _stratified(wanted, validation, test, seed, labels)
    if stratified:
        return stratified
    shuffled = torch.randperm(count, generator=stream(seed, "split"))
    held_test, held_validation, rest = shuffled.split([*wanted.values(), count - sum(wanted.values())])
    return _ascending(rest, held_validation, held_test)


def _stratified(wanted: dict[str, int], validation: float, test: float, seed: int, labels: Tensor) -> Rows | None:
    """None where the classes are too small to fill the parts."""
    members = [torch.nonzero(labels == label).flatten() for label in labels.unique().tolist()]
    members = [rows[torch.randperm(len(rows), generator=stream(seed, "split", n))] for n, rows in enumerate(members)]
    room = torch.tensor([len(rows) - 1 for rows in members])
    taken = {}
    for part, share in (("test", test), ("validation", validation)):
        later = torch.tensor([int(len(rows) * validation) for rows in members]) if part == "test" else 0
        taken[part] = _apportion(wanted[part], share, members, room - later, seed, part)
        if taken[part].sum() < wanted[part]:
            return None
        room = room - taken[part]
    pieces = [
        rows.split([int(t), int(v), len(rows) - int(t) - int(v)])
        for rows, t, v in zip(members, taken["test"], taken["validation"], strict=True)
    ]
    return _ascending(*(torch.cat([piece[place] for piece in pieces]) for place in (2, 1, 0)))


def _share(count: int, share: float) -> int:
    return max(1, round(count * share)) if share > 0 else 0


def _apportion(total: int, share: float, members: list[Tensor], room: Tensor, seed: int, part: str) -> Tensor:
    """How many of each class go: the whole part of its share, then one more where the fraction is largest.

    The largest-remainder method; ties are broken by chance, and a class never gives more than its `room`.
    """
    exact = torch.tensor([len(rows) * share for rows in members], dtype=torch.float64)
    counts = exact.floor().long()
    chance = torch.rand(len(members), generator=stream(seed, "split", part), dtype=torch.float64)
    for place in torch.argsort(exact - counts + 1e-9 * chance, descending=True).tolist():
        if counts.sum() < total and counts[place] < room[place]:
            counts[place] += 1
    return counts


def _ascending(train: Tensor, validation: Tensor, test: Tensor) -> Rows:
    return {"train": train.sort().values, "validation": validation.sort().values, "test": test.sort().values}
