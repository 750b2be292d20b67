"""Whether targets have anything to do with the inputs that they stand beside, whatever the net makes of them."""

import math

import torch
from torch import Tensor

from danlu.base.seeds import order
from danlu.watch.measured import Measured
from danlu.watch.tracing import unreadable

_MOST_PAIRS, _MOST_COLUMNS, _MOST_CLASSES = 512, 128, 100
_FEWEST = 200
_NEIGHBOURS, _DIRECTIONS = 10, 16
_DRAWS = 40
_MOST_DEALT = 200_000  # numbers at a time


class RelationProbe:
    """Keeps samples of measured steps with their one target each, and compares these with those of other samples."""

    writes = ("unrelated",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._inputs: list[Tensor] = []  # since the last targets of this step
        self._rows: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._kind = ""
        self._pairs = 0

    def called(self, tensors: list[Tensor]) -> None:
        """A call of the net in training, with these tensors."""
        if self._pairs < _MOST_PAIRS:
            self._inputs = [*self._inputs, *(one.detach() for one in tensors if one.dim() > 1)][:2]

    def met(self, kind: str, targets: Tensor) -> None:
        """Targets were compared with what the net gave: "classes", "binary" or "numbers"."""
        given, self._inputs = self._inputs, []
        if len(given) != 1:  # of two the target may be how they compare
            return
        inputs = given[0]
        if unreadable(targets) or targets.numel() != len(inputs) or targets.requires_grad:
            return
        if not inputs.dtype.is_floating_point or unreadable(inputs) or self._kind not in ("", kind):
            return
        rows = inputs.flatten(1)
        if rows.shape[1] > _MOST_COLUMNS:
            rows = rows[:, :: -(-rows.shape[1] // _MOST_COLUMNS)]
        if self._rows and self._rows[0].shape[1] != rows.shape[1]:
            return
        free = _MOST_PAIRS - self._pairs
        self._kind = kind
        self._rows.append(rows[:free].double().cpu())
        self._targets.append(targets.detach().flatten()[:free].double().cpu())
        self._pairs += len(self._rows[-1])

    def end_step(self) -> None:
        """The step is over."""
        self._inputs = []

    def end(self) -> None:
        """The training is over: compare."""
        if self._pairs >= _FEWEST:
            rows, targets = torch.cat(self._rows), torch.cat(self._targets)
            once = _first_of_each(rows)  # the same sample of another epoch has the same target, whatever that is
            found = self._measured.unrelated
            found.relation, found.pairs = relation(rows[once], targets[once], self._kind), len(once)
        self._rows.clear()
        self._targets.clear()


def relation(rows: Tensor, targets: Tensor, kind: str) -> float:
    """By how many standard deviations targets [N] go better with those of the nearest samples, or with the directions
    in which samples [N, C] differ most, than targets dealt out at random do; NaN where that cannot be told.

    >>> x = torch.randn(300, 4, dtype=torch.float64)
    >>> relation(x, (x[:, 0] > 0).double(), "binary") > 5
    True
    """
    rows, targets = rows[torch.isfinite(rows).all(1)], targets[torch.isfinite(rows).all(1)]
    if len(rows) < _FEWEST:
        return math.nan
    spread = rows.std(0)
    rows = (rows - rows.mean(0))[:, spread > 0] / spread[spread > 0]
    wanted = _as_columns(targets, kind)
    if wanted is None or not rows.shape[1]:
        return math.nan
    near = torch.cdist(rows, rows).fill_diagonal_(math.inf).topk(_NEIGHBOURS, largest=False).indices
    directions = torch.linalg.svd(rows, full_matrices=False)[0][:, :_DIRECTIONS]
    as_they_are = torch.arange(len(wanted))
    orders = torch.stack([as_they_are, *(order(len(wanted), 0, draw) for draw in range(1, _DRAWS + 1))])
    parts = orders.split(max(1, _MOST_DEALT // wanted.numel()))
    beside, along = (
        torch.cat(each) for each in zip(*(_scores(wanted, part, near, directions) for part in parts), strict=True)
    )
    return max(_surprise(beside), _surprise(along))


def _scores(wanted: Tensor, orders: Tensor, near: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """How well targets [N, C], dealt out in orders [D, N], go with those of the nearest [N, K] and with directions
    [N, E]: two numbers for each order."""
    dealt = wanted[orders].transpose(0, 1).flatten(1)  # [N, D * C]
    around = sum((dealt[places] for places in near.unbind(1)), torch.zeros(())) / near.shape[1]
    shape = -1, len(orders), wanted.shape[1]
    return (around * dealt).view(shape).sum((0, 2)), (directions.T @ dealt).square().view(shape).sum((0, 2))


def _first_of_each(rows: Tensor) -> Tensor:
    """The places of the rows that have not been there before."""
    _, kinds = rows.unique(dim=0, return_inverse=True)
    places = torch.arange(len(rows))
    return places.new_full((int(kinds.max()) + 1,), len(rows)).scatter_reduce_(0, kinds, places, "amin").sort().values


def _surprise(scores: Tensor) -> float:
    """How far the first one lies above the others, in their standard deviations."""
    others = scores[1:]
    return (float(scores[0]) - float(others.mean())) / max(float(others.std()), 1e-12)


def _as_columns(targets: Tensor, kind: str) -> Tensor | None:
    """Targets of mean 0: numbers in one column, classes in one each; None where they do not differ."""
    if kind == "numbers":
        found = targets[:, None]
    else:
        classes = targets.unique()
        if len(classes) > _MOST_CLASSES:
            return None
        found = (targets[:, None] == classes).double()
    found = found - found.mean(0)
    return found if float(found.square().sum()) > 0 else None
