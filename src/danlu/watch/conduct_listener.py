"""The part of the observer that hears how a loop goes about its training, beside calls, losses and steps."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.frames import calling_line
from danlu.watch.guard import Guard
from danlu.watch.lane import Lane
from danlu.watch.measured import Measured
from danlu.watch.probes.averaged import AveragedProbe
from danlu.watch.probes.code import CodeProbe
from danlu.watch.probes.derivatives import DerivativeProbe
from danlu.watch.probes.draws import DrawsProbe
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.reloaded import ReloadProbe
from danlu.watch.probes.scaling import ScalingProbe
from danlu.watch.probes.structure import drops_by_layers
from danlu.watch.sources import Sources


class ConductListener:
    """Sends each of these facts to its probe. Called from hooks, it never raises."""

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module], guard: Guard, lane: Lane) -> None:
        self._measured = measured
        self.lane = lane
        self._guard = guard
        guard.prepare = self.catch_up
        self._nets = {id(one) for one in roots.values()}
        self.scaling = ScalingProbe(measured)
        self.held_out = HeldOutProbe(measured)
        self.sources = Sources()
        self.code = CodeProbe(measured, self.sources)
        self.derivatives = DerivativeProbe(measured, self.sources, roots)
        self.draws = DrawsProbe(measured)
        self._averaged = AveragedProbe(measured, roots)
        self._reloaded = ReloadProbe(measured, roots)
        self._given: tuple[Any, Any] | None = None  # to the training call of the net that is under way
        self._readable = True  # saved tensors are the graph's own
        self.evaluating = False  # a net is called in evaluation mode, and none of its dropout layers drops

    @property
    def measured(self) -> Measured:
        """All of it, the ordinary steps just gone by among it."""
        if self.lane.steps:
            self.catch_up()
        return self._measured

    def catch_up(self) -> None:
        """Write the ordinary steps that the lane has taken."""
        if self.lane.steps:
            self._measured.add_ordinary(self.lane.emptied())

    def evaluation_begins(self, module: nn.Module) -> None:
        self.evaluating = not module.training and not drops_by_layers(module)
        self.draws.evaluates()
        self._averaged.evaluated(module, self.measured.step)

    def dropped(self, rate: float) -> None:
        net = self.measured.net
        net.plain_dropout = max(float(rate), net.plain_dropout)
        if self.evaluating and rate > 0 and not torch.is_grad_enabled():
            self.measured.dropped_evaluations += 1
            self.evaluating = False  # one call is counted once

    def scaler_called(self, name: str, scale: float, *, ends: bool) -> None:
        self.scaling.called(name, scale, ends=ends)

    def put_into_training(self, module: nn.Module) -> None:
        if id(module) in self._nets and "train" not in self.measured.lines:
            line = calling_line()
            if line is not None:
                self.measured.lines["train"] = line

    def weights_loaded(self, module: nn.Module, state: Any) -> None:
        self._guard(self._reloaded.loaded, module, state)

    def checkpointed(self, *, dry: bool) -> None:
        if not dry or self._given is None:  # whether gradients are on is not to be seen from where it asks
            return
        self.measured.checkpointed_dry += 1
        if "checkpoint" not in self.measured.lines and (line := calling_line()) is not None:
            self.measured.lines["checkpoint"] = line

    def saved_elsewhere(self) -> None:
        self._readable = False

    def loader_begun(self, loader: Any) -> None:
        self._guard(self.held_out.loader_begun, loader)
        self._guard(self.draws.loader_begun, loader, self.measured.step)

    def stranger_called(self, module: nn.Module) -> None:
        self._guard(self._averaged.called, module, self.measured.step)
