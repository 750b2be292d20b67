"""Watch on an engine that does not call the net: a few steps are shown, of the others it is told."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from danlu.watch.observer import Observer
from danlu.watch.patches import LossCall

_TRAINED = torch.zeros((), requires_grad=True)  # stands for the result of a loss that goes backwards

DescribeLoss = Callable[[Tensor, Tensor], LossCall]
"""Outputs [C, N] and targets of a step to the call of the loss that the net's own forward would have led to."""


class Onlooker:
    """Tells `observer` of the steps in which `optimizer`'s parameters, those of `net`, are moved by somebody else.

    A measured step is one that the observer must hear itself: then the net is called, forward and backward. Of any
    other it learns what it would have heard, without a call; the first whose loss is not finite must be shown too,
    so that it can be found out where that comes from.
    """

    def __init__(
        self, observer: Observer, net: nn.Module, optimizer: torch.optim.Optimizer, describe: DescribeLoss
    ) -> None:
        self._observer = observer
        self._net = net
        self._optimizer = optimizer
        self._describe = describe

    @property
    def wants(self) -> bool:
        """Whether the coming step is measured."""
        return self._observer.measuring

    def passes(self, batch: tuple[Tensor, Tensor], outputs: Tensor, loss: Tensor) -> bool:
        """Tell of a step that nobody calls the net for; False where it must be shown."""
        observer = self._observer
        value = loss.item()
        if not math.isfinite(value) and observer.measured.nonfinite_at is None:
            return False
        if observer.ordinary(value):
            return True
        observer.forward_begins(self._net, batch[:1], {})
        if not observer.passes_losses:
            observer.loss_computed(self._describe(outputs, batch[1]), _TRAINED)
        observer.backward_begins((loss,))
        observer.before_step(self._optimizer, (), {})
        observer.after_step(self._optimizer, (), {})
        return True

    def before(self) -> None:
        """The step that was shown is about to move the weights."""
        self._observer.before_step(self._optimizer, (), {})

    def after(self) -> None:
        """It has moved them."""
        self._observer.after_step(self._optimizer, (), {})
