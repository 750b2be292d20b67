"""A GradScaler: whether what it has scaled is brought back before somebody looks at it."""

import weakref
from typing import Any

import torch

from danlu.watch.measured import Measured


class ScalingProbe:
    """Knows from one step of an optimiser to the next whether the gradients are scaled still."""

    writes = ("scaling", "scaled")

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._scaled = self._steps = False
        self._given: weakref.ref[torch.Tensor] | None = None  # the newest loss that was multiplied
        self.loss: torch.Tensor | None = None  # its value, until the product goes backwards
        self._bare = False  # that loss went backwards in this step, and not the product

    def scaled(self, loss: Any) -> None:
        """A loss was multiplied; its gradients will be as large."""
        self._measured.scaled = self._scaled = True
        if isinstance(loss, torch.Tensor):
            self._given, self.loss = weakref.ref(loss), loss.detach()

    def backward_begins(self, root: torch.Tensor) -> torch.Tensor:
        """The backward pass from `root` is about to run; the loss that it is of."""
        self._bare = self._bare or (self._given is not None and self._given() is root)
        loss, self.loss = self.loss, None
        return loss if loss is not None else root

    def called(self, name: str, scale: float, *, ends: bool) -> None:
        """A method of the scaler begins or ends: "unscale_", "step" or "update"."""
        scaling = self._measured.scaling
        scaling.scale = scale
        if name == "step":
            self._steps = not ends
            scaling.called += not ends
            if self._bare and not ends:
                scaling.bare += 1
                scaling.bare_since = scaling.bare_since or self._measured.step + 1
        elif name == "unscale_":
            self._scaled = False
        else:
            scaling.updates += not ends

    def clipped(self, step: int) -> None:
        """Gradients were clipped."""
        scaling = self._measured.scaling
        if self._scaled:
            scaling.clipped_since = scaling.clipped_since or step
            scaling.clips += 1

    def before_step(self, step: int) -> None:
        """An optimiser is about to step."""
        scaling = self._measured.scaling
        if self._scaled and not self._steps:
            scaling.stepped_since = scaling.stepped_since or step
            scaling.steps += 1

    def after_step(self) -> None:
        """It has stepped: those gradients are used."""
        self._scaled = self._bare = False
