"""What the loop asks of whoever carries out its steps: the pieces that it names, and a state for checkpoints."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import torch
from torch import nn

from danlu.train.schedules import Schedule

Batch = tuple[torch.Tensor, torch.Tensor]
"""Inputs and targets, samples first."""

AnyBatch = TypeVar("AnyBatch")
Batch_contra = TypeVar("Batch_contra", contravariant=True)


class SeesValidation(Protocol):
    """A schedule, or those of a stack's members."""

    def see(self, validation_loss: Any) -> None:
        """Hear the validation loss of an epoch; of a stack [K]."""
        ...


class Updates(Protocol[Batch_contra]):
    """Carries out the updates of a training: forward, loss, backward, clip, update, in this order.

    Where an update goes on from depends on nothing but its number, the weights, and what `tensors` and `state` give: an
    engine that takes these back goes on bit for bit. Of a stack of K models every number below has an axis [K].
    """

    @property
    def schedule(self) -> SeesValidation: ...

    @property
    def batch_loss(self) -> torch.Tensor:
        """The loss of the whole batch before its update, 0-d and detached."""
        ...

    @property
    def lr(self) -> Any:
        """The learning rate of the update under way, or the last one: a float."""
        ...

    def size(self, batch: Batch_contra) -> tuple[int, Any]:
        """The samples of a batch, and over how many terms its loss is a mean."""
        ...

    def start_epoch(self, epoch: int, batch: int) -> None:
        """Epoch `epoch` (from 0) begins; a resume goes on in it at `batch`."""
        ...

    def begin(self, step: int) -> None:
        """Before update number `step`, from 0."""
        ...

    def parts(self, batch: Batch_contra) -> Iterable[Batch]:
        """The batch as the portions whose gradients are added up; itself, when nothing is accumulated."""
        ...

    def forward(self, inputs: torch.Tensor) -> Any:
        """The outputs, as `loss` takes them."""
        ...

    def loss(self, outputs: Any, targets: torch.Tensor) -> torch.Tensor:
        """The loss of a portion, 0-d, as `backward` takes it."""
        ...

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradient of the loss to the update."""
        ...

    def clip(self) -> torch.Tensor | None:
        """Clip the gradient as the recipe asks; its norm before that, 0-d, where it asks for a limit of the norm."""
        ...

    def update(self) -> None:
        """Move the weights."""
        ...


class Engine(Updates[Batch], Protocol):
    """Carries out the training of one model, which is a net of the user's."""

    net: nn.Module
    """It holds the current weights after every update."""
    optimizer: torch.optim.Optimizer
    """One of torch's with the recipe's options over the net's parameters, whoever it is that moves them."""

    @property
    def schedule(self) -> Schedule: ...

    def __enter__(self) -> Self:
        """The training begins, or goes on."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It has ended, in whatever way: the net is as it was before, but for its weights."""
        ...

    @property
    def scored_net(self) -> nn.Module:
        """The net that is validated and used: with averaged weights where the recipe asks for them."""
        ...

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds, as trees of tensors and numbers by the name of the part; "weights" is a
        `state_dict` of the net."""
        ...

    def load_tensors(self, parts: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""
        ...

    def state(self) -> dict[str, Any]:
        """The numbers a checkpoint holds besides."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        ...
