"""Which sample goes into which part: seeded, disjoint, and with every class in its share."""

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.seeds import stream

Rows = dict[str, Tensor]
"""Row numbers of each part, int64, ascending."""

_FEW_CLASSES = 64


def split(count: int, validation: float, test: float, seed: int, labels: Tensor | None = None) -> Rows:
    """Split `count` samples into train, validation and test; the shares are of all samples, 0 leaves a part empty.

    With `labels` (int64 [count]) each part has of every class its share within one sample, and the training part keeps
    at least one sample of each class; where classes are too small for that, the split is drawn without regard to them.
    A share above 0 takes at least one sample.

    >>> {part: len(rows) for part, rows in split(10, 0.1, 0.2, seed=0).items()}
    {'train': 7, 'validation': 1, 'test': 2}
    """
    wanted = part_sizes(count, validation, test)
    stratified = None if labels is None else _stratified(wanted, validation, test, seed, labels)
    if stratified:
        return stratified
    shuffled = torch.randperm(count, generator=stream(seed, "split"))
    held_test, held_validation, rest = shuffled.split(list(wanted.values()))
    return _ascending(rest, held_validation, held_test)


def part_sizes(count: int, validation: float, test: float) -> dict[str, int]:
    """How many of `count` samples the shares give to each part.

    >>> part_sizes(10, 0.1, 0.2)
    {'test': 2, 'validation': 1, 'train': 7}
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        fail("data.shares", validation=validation, test=test)
    wanted = {"test": _share(count, test), "validation": _share(count, validation)}
    if sum(wanted.values()) >= count:
        fail("data.too-few-samples", count=count, **wanted)
    return {**wanted, "train": count - sum(wanted.values())}


def _stratified(wanted: dict[str, int], validation: float, test: float, seed: int, labels: Tensor) -> Rows | None:
    """None where the classes are too small to fill the parts."""
    members = by_class(labels)
    sizes = torch.tensor([len(rows) for rows in members])
    members = [rows[torch.randperm(len(rows), generator=stream(seed, "split", n))] for n, rows in enumerate(members)]
    # What the two parts are owed together decides who gives to validation, so that training keeps its share as well.
    owed_test, owed_both = sizes.double() * test, sizes.double() * (test + validation)
    least_validation = (sizes.double() * validation).floor().long()
    from_test = _apportion(wanted["test"], owed_test, owed_test.floor().long(), sizes - 1 - least_validation, seed)
    owed = owed_both - from_test
    from_validation = _apportion(wanted["validation"], owed, least_validation, sizes - 1 - from_test, seed)
    if from_test.sum() < wanted["test"] or from_validation.sum() < wanted["validation"]:
        return None
    pieces = [
        rows.split([t, v, len(rows) - t - v])
        for rows, t, v in zip(members, from_test.tolist(), from_validation.tolist(), strict=True)
    ]
    return _ascending(*(torch.cat([piece[place] for piece in pieces]) for place in (2, 1, 0)))


def by_class(labels: Tensor) -> list[Tensor]:
    """The rows of each class that there is, both in ascending order.

    >>> by_class(torch.tensor([2, 0, 2]))
    [tensor([1]), tensor([0, 2])]
    """
    if len(labels) and labels.min() >= 0 and labels.max() < _FEW_CLASSES:
        # A table on the disk may have more rows than memory has room to sort.
        rows = [(labels == number).nonzero()[:, 0] for number in range(int(labels.max()) + 1)]
        return [one for one in rows if len(one)]
    sizes = labels.unique(return_counts=True)[1]
    return [*labels.argsort(stable=True).split(sizes.tolist())]


def _share(count: int, share: float) -> int:
    return max(1, round(count * share)) if share > 0 else 0


def _apportion(total: int, owed: Tensor, least: Tensor, room: Tensor, seed: int) -> Tensor:
    """How many of each class go: the `least`, then one more where most is still owed, until they are `total`.

    The largest-remainder method; ties are broken by chance, and a class never gives more than its `room`.
    """
    counts = least.clone()
    chance = torch.rand(len(counts), generator=stream(seed, "split", "ties"), dtype=torch.float64)
    ranked = torch.argsort(owed - least + 1e-9 * chance, descending=True)
    willing = ranked[(counts < room)[ranked]]
    counts[willing[: max(0, total - int(counts.sum()))]] += 1
    return counts


def _ascending(train: Tensor, validation: Tensor, test: Tensor) -> Rows:
    count, found = len(train) + len(validation) + len(test), Rows()
    for part, rows in (("train", train), ("validation", validation), ("test", test)):
        chosen = torch.zeros(count, dtype=torch.bool)  # marked, because sorting takes three times the rows' memory
        chosen[rows] = True
        found[part] = chosen.nonzero()[:, 0]
    return found
