"""Batch normalisations of frozen parts: whether their running statistics go on moving."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.probes.structure import BATCH_NORMS
from danlu.watch.tracing import unreadable

_COMPARED = 16  # numbers of a tensor
_STEPS = 3  # measured ones in which it was so


@dataclass(frozen=True)
class _Now:
    weight: torch.Tensor
    mean: torch.Tensor
    variance: torch.Tensor

    @classmethod
    def of(cls, norm: Any) -> "_Now":
        weight = norm.weight.detach().flatten()[:_COMPARED].clone()
        return cls(weight, norm.running_mean.float().clone(), norm.running_var.float().clone())

    def far_from(self, now: "_Now") -> float:
        """How far the statistics have moved since: of mean and standard deviation, in those, over the channels."""
        spread = self.variance.clamp(min=1e-12).sqrt()
        shift = (now.mean - self.mean).abs() / spread
        stretch = (now.variance.clamp(min=1e-12).sqrt() / spread).log().abs()
        return float(torch.maximum(shift, stretch).mean())


class NormProbe:
    """Follows the normalisations whose own parameters are frozen: those that stay so, in training mode."""

    writes = ("drifting",)

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        named = [(".".join(p for p in (prefix, path) if p), one) for prefix, root in roots.items()
                 for path, one in root.named_modules() if any(p.requires_grad for p in root.parameters())]  # fmt: skip
        self._asked = {name: one for name, one in named if isinstance(one, BATCH_NORMS) and one.affine}
        self._first: dict[str, _Now] = {}
        self._steps: dict[str, int] = {}

    def end_step(self, step: int) -> None:
        """A measured step is over."""
        found: dict[str, float] = {}
        for name, one in list(self._asked.items()):
            statistics = one.running_mean
            trains = any(parameter.requires_grad for parameter in one.parameters())
            if trains or not one.training or statistics is None or unreadable(one.weight) or unreadable(statistics):
                del self._asked[name]
                continue
            now = _Now.of(one)
            before = self._first.setdefault(name, now)
            if not torch.equal(before.weight, now.weight):  # somebody moves it by hand: the average of another net
                del self._asked[name]
                continue
            self._steps[name] = self._steps.get(name, 0) + 1
            if self._steps[name] > _STEPS:
                found[name] = before.far_from(now)
        self._measured.drifting = found
