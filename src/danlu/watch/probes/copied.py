"""A target among the inputs: a net that is given the very number that it is asked for."""

import torch

from danlu.watch.conduct import Copied
from danlu.watch.measured import Measured
from danlu.watch.tracing import unreadable

_FEWEST = 8  # samples of a batch
_MOST_SAMPLES, _MOST_PLACES = 256, 4_096
_ROUNDING = 1e-6
_SAME = 1 - _ROUNDING  # correlation: the same number, but for its unit and rounding


class CopiedProbe:
    """Looks for targets, one of each sample, among the numbers of the inputs [N, D], or in the last place of a sequence
    [N, T] or [N, T, D]; over all measured steps."""

    writes = ("copied",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._inputs: list[torch.Tensor] = []  # of this step
        self._over = False  # there was a step in which it was not so

    def called(self, tensors: list[torch.Tensor]) -> None:
        """A call of the net in training, with these tensors."""
        if not self._over:
            self._inputs += [one.detach() for one in tensors if one.dim() in (2, 3) and one.shape[1] > 1]

    def met(self, kind: str, targets: torch.Tensor) -> None:
        """Targets were compared with what the net gave."""
        if self._over or not self._inputs or kind not in ("numbers", "classes", "binary") or unreadable(targets):
            return
        inputs = [one for one in self._inputs if len(one) == targets.numel() == len(targets) and not unreadable(one)]
        self._inputs.clear()
        wanted = targets.detach().flatten()[:_MOST_SAMPLES].double()
        if len(wanted) < _FEWEST or wanted.device.type != "cpu" or not bool((wanted != wanted[0]).any()):
            return
        found = next((place for one in inputs if (place := self._find(one[:_MOST_SAMPLES], wanted, kind))), None)
        known = self._measured.copied
        if found is None or (known.steps and found != (known.place, known.places, known.in_time)):
            self._over = True
            self._measured.copied = Copied()
        else:
            self._measured.copied = Copied(known.steps + 1, *found)

    def end_step(self) -> None:
        """The step is over."""
        self._inputs.clear()

    def _find(self, inputs: torch.Tensor, wanted: torch.Tensor, kind: str) -> tuple[int, int, bool] | None:
        """The place of the inputs at which the targets stand, and of how many."""
        net = self._measured.net
        tokens = not inputs.dtype.is_floating_point
        in_time = inputs.dim() == 3 or tokens or net.recurrent or net.attends
        rows = inputs[:, -1:] if in_time else inputs
        rows = rows.flatten(1)
        if rows.shape[1] > _MOST_PLACES or inputs[0].numel() < 2:
            return None
        place = _same(rows.double(), wanted, exactly=tokens or kind == "classes", alone=in_time)
        return None if place is None else (place, inputs.shape[1], in_time)


def _same(rows: torch.Tensor, wanted: torch.Tensor, *, exactly: bool, alone: bool) -> int | None:
    """The column [N] that is `wanted`, to the number or in another unit; the only one where it may stand `alone`."""
    if exactly:
        found = (rows == wanted[:, None]).all(0)
    else:
        apart, own = rows - rows.mean(0), wanted - wanted.mean()
        sizes = apart.norm(dim=0) * own.norm()
        found = (own @ apart).abs() >= _SAME * sizes
        varies = apart.norm(dim=0) > 0
        if alone and rows.shape[1] == 1:  # a line through one variable is a task, not a leak; the very number is one
            found &= varies & ((rows[:, 0] - wanted).norm() <= _ROUNDING * wanted.norm())
        else:
            found &= varies & (varies.sum() > 1)
    return int(found.nonzero()[0]) if bool(found.any()) else None
