"""Targets as large as the inputs: whether they go with them at all."""

import math

import torch

from danlu.watch.measured import Measured
from danlu.watch.tracing import unreadable

_MOST = 65_536  # numbers of a step


class UnrelatedProbe:
    """Correlates targets that are numbers with inputs of the same shape, over all measured steps."""

    writes = ("unrelated",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._inputs: list[torch.Tensor] = []  # of this step
        self._sums = torch.zeros(6, dtype=torch.float64)

    def called(self, tensors: list[torch.Tensor]) -> None:
        """A call of the net in training, with these tensors."""
        self._inputs += [one.detach() for one in tensors if one.dtype.is_floating_point and one.dim() > 1]

    def met(self, kind: str, targets: torch.Tensor, step: int) -> None:
        """Targets were compared with what the net gave."""
        targets = targets.detach()
        if kind != "numbers" or unreadable(targets) or not targets.numel():
            return
        for one in self._inputs:
            if one.shape == targets.shape and not unreadable(one) and one.device.type == "cpu":
                x, t = one.flatten()[:_MOST].double(), targets.flatten()[:_MOST].double()
                self._sums += torch.stack([x.new_tensor(len(x)), x.sum(), t.sum(), x @ x, t @ t, x @ t])
                self._write(step)
                self._inputs.clear()
                return

    def end_step(self) -> None:
        """The step is over."""
        self._inputs.clear()

    def _write(self, step: int) -> None:
        count, x, t, xx, tt, xt = self._sums.tolist()
        spread_x, spread_t = xx / count - (x / count) ** 2, tt / count - (t / count) ** 2
        found = self._measured.unrelated
        found.step, found.numbers, found.mean = step, int(count), t / count
        found.std = math.sqrt(max(0.0, spread_t))
        if spread_x > 0 and spread_t > 0:
            found.correlation = (xt / count - x * t / count**2) / math.sqrt(spread_x * spread_t)
