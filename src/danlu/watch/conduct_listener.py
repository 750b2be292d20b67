"""The part of the observer that hears how a loop goes about its training, beside calls, losses and steps."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.probes.averaged import AveragedProbe
from danlu.watch.probes.code import CodeProbe
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.scaling import ScalingProbe


class ConductListener:
    """Sends each of these facts to its probe. Called from hooks, it never raises."""

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module], guard: Guard) -> None:
        self.measured = measured
        self._guard = guard
        self.scaling = ScalingProbe(measured)
        self.held_out = HeldOutProbe(measured)
        self.code = CodeProbe(measured)
        self._averaged = AveragedProbe(measured, roots)
        self._readable = True  # saved tensors are the graph's own

    def scaler_called(self, name: str, scale: float, *, ends: bool) -> None:
        self.scaling.called(name, scale, ends=ends)

    def checkpointed(self, *, dry: bool) -> None:
        self.measured.checkpointed_dry += dry and torch.is_grad_enabled()

    def saved_elsewhere(self) -> None:
        self._readable = False

    def loader_begun(self, loader: Any) -> None:
        self._guard(self.held_out.loader_begun, loader)

    def stranger_called(self, module: nn.Module) -> None:
        self._guard(self._averaged.called, module, self.measured.step)
