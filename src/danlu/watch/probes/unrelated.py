"""Targets as large as the inputs, or as a part of them: whether they go with them at all."""

import math

import torch

from danlu.watch.measured import Measured
from danlu.watch.tracing import unreadable

_MOST = 65_536  # numbers of a step


class UnrelatedProbe:
    """Correlates targets that are numbers with inputs of the same shape, over all measured steps.

    Of inputs that have more columns, or channels, as where a time stands beside what was made noisy, the first ones are
    meant or the last ones, whichever goes with the targets.
    """

    writes = ("unrelated",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._inputs: list[torch.Tensor] = []  # of this step
        self._sums = torch.zeros(2, 6, dtype=torch.float64)  # of the first columns, and of the last

    def called(self, tensors: list[torch.Tensor]) -> None:
        """A call of the net in training, with these tensors."""
        self._inputs += [one.detach() for one in tensors if one.dtype.is_floating_point and one.dim() > 1]

    def met(self, kind: str, targets: torch.Tensor, step: int) -> None:
        """Targets were compared with what the net gave."""
        targets = targets.detach()
        if kind != "numbers" or unreadable(targets) or not targets.numel():
            return
        for one in self._inputs:
            if _has_part(one, targets) and not unreadable(one) and one.device.type == "cpu":
                width = targets.shape[1]
                t = targets.flatten()[:_MOST].double()
                for place, part in enumerate((one[:, :width], one[:, -width:])):
                    x = part.flatten()[:_MOST].double()
                    self._sums[place] += torch.stack([x.new_tensor(len(x)), x.sum(), t.sum(), x @ x, t @ t, x @ t])
                self._write(step)
                self._inputs.clear()
                return

    def end_step(self) -> None:
        """The step is over."""
        self._inputs.clear()

    def _write(self, step: int) -> None:
        count, _, t, _, tt, _ = self._sums[0].tolist()
        found = self._measured.unrelated
        found.step, found.numbers, found.mean = step, int(count), t / count
        found.std = math.sqrt(max(0.0, tt / count - (t / count) ** 2))
        found.correlation = max((_correlation(*sums.tolist()) for sums in self._sums), key=abs)


def _has_part(inputs: torch.Tensor, targets: torch.Tensor) -> bool:
    """Whether the inputs [N, D, …] are as large as the targets, but for columns or channels that these may not have."""
    if inputs.dim() != targets.dim() or inputs.shape[0] != targets.shape[0] or inputs.shape[2:] != targets.shape[2:]:
        return False
    return inputs.shape[1] == targets.shape[1] or 1 < targets.shape[1] < inputs.shape[1] <= 2 * targets.shape[1]


def _correlation(count: float, x: float, t: float, xx: float, tt: float, xt: float) -> float:
    """By how many pairs there are, and the sums of both, of their squares and of their products; 0 where one does not
    move."""
    spread_x, spread_t = xx / count - (x / count) ** 2, tt / count - (t / count) ** 2
    return (xt / count - x * t / count**2) / math.sqrt(spread_x * spread_t) if spread_x > 0 < spread_t else 0.0
