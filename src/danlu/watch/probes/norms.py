"""Batch normalisations of frozen parts: whether their running statistics go on moving."""

from collections.abc import Mapping

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.probes.structure import BATCH_NORMS
from danlu.watch.tracing import unreadable

_COMPARED = 16  # numbers of a tensor
_STEPS = 3  # measured ones in which it was so


class NormProbe:
    """Follows the normalisations whose own parameters are frozen: those that stay so, in training mode."""

    writes = ("drifting",)

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        named = [(".".join(p for p in (prefix, path) if p), one) for prefix, root in roots.items()
                 for path, one in root.named_modules() if any(p.requires_grad for p in root.parameters())]  # fmt: skip
        self._asked = {name: one for name, one in named if isinstance(one, BATCH_NORMS) and one.affine}
        self._first: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._steps: dict[str, int] = {}

    def end_step(self, step: int) -> None:
        """A measured step is over."""
        for name, one in list(self._asked.items()):
            statistics = one.running_mean
            trains = any(parameter.requires_grad for parameter in one.parameters())
            if trains or not one.training or statistics is None or unreadable(one.weight) or unreadable(statistics):
                del self._asked[name]
                continue
            now = one.weight.detach().flatten()[:_COMPARED].clone(), statistics.flatten()[:_COMPARED].clone()
            weight, before = self._first.setdefault(name, now)
            if not torch.equal(weight, now[0]):  # somebody moves it by hand: it is the average of another net
                del self._asked[name]
                continue
            self._steps[name] = self._steps.get(name, 0) + (not torch.equal(before, now[1]))
        moving = [name for name in self._asked if self._steps.get(name, 0) >= _STEPS]
        self._measured.drifting = tuple(moving)
