"""Whether targets have anything to do with the inputs that they stand beside, whatever the net makes of them."""

import math

import torch

from danlu.base.seeds import order
from danlu.watch.measured import Measured
from danlu.watch.tracing import unreadable

_MOST_PAIRS, _MOST_COLUMNS, _MOST_CLASSES = 512, 128, 100
_FEWEST = 200
_NEIGHBOURS, _DIRECTIONS = 10, 16
_DRAWS = 40


class RelationProbe:
    """Keeps samples of measured steps with their one target each, and compares these with those of other samples."""

    writes = ("unrelated",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._inputs: list[torch.Tensor] = []  # since the last targets of this step
        self._rows: list[torch.Tensor] = []
        self._targets: list[torch.Tensor] = []
        self._kind = ""
        self._pairs = 0

    def called(self, tensors: list[torch.Tensor]) -> None:
        """A call of the net in training, with these tensors."""
        if self._pairs < _MOST_PAIRS:
            self._inputs = [*self._inputs, *(one.detach() for one in tensors if one.dim() > 1)][:2]

    def met(self, kind: str, targets: torch.Tensor) -> None:
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


def relation(rows: torch.Tensor, targets: torch.Tensor, kind: str) -> float:
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
    scores: list[tuple[float, float]] = []
    for draw in range(_DRAWS + 1):
        dealt = wanted if not draw else wanted[order(len(wanted), 0, draw)]
        beside = float((dealt[near].mean(1) * dealt).sum())
        scores.append((beside, float((directions.T @ dealt).square().sum())))
    return max(map(_surprise, zip(*scores, strict=True)))


def _first_of_each(rows: torch.Tensor) -> torch.Tensor:
    """The places of the rows that have not been there before."""
    _, kinds = rows.unique(dim=0, return_inverse=True)
    places = torch.arange(len(rows))
    return places.new_full((int(kinds.max()) + 1,), len(rows)).scatter_reduce_(0, kinds, places, "amin").sort().values


def _surprise(scores: tuple[float, ...]) -> float:
    """How far the first one lies above the others, in their standard deviations."""
    others = torch.tensor(scores[1:], dtype=torch.float64)
    return (scores[0] - float(others.mean())) / max(float(others.std()), 1e-12)


def _as_columns(targets: torch.Tensor, kind: str) -> torch.Tensor | None:
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
