"""What stands above a stack may call these; they are written in their own files as they come."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.train.stack.members import Fold, Member, Trained


def stackable(net: nn.Module, sample: Tensor | None = None) -> Fault | None:
    """None where `net` can be stacked, else why not. With `sample` [N, …] it is tried out: two members against one alone."""
    raise NotImplementedError


def same_structure(first: nn.Module, second: nn.Module) -> bool:
    """Whether two nets can be members of one stack: same layers, shapes and options but for dropout's rate."""
    raise NotImplementedError


def train_members(
    nets: Sequence[nn.Module],
    members: Sequence[Member],
    folds: Sequence[Fold],
    *,
    task: str,
    outputs: int,
    device: torch.device,
    scale: Tensor | None = None,  # unit of standardised regression targets, as in Metrics
    most_members: int | None = None,  # in one stack; None: what cache and memory suggest
    validate: str = "auto",  # "epochs", "end", or "auto": each epoch only where early stopping, plateau or best need it
    finished: Callable[[Sequence[int], Trained], None] = lambda indices, trained: None,  # after each stack: keep it
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train all; the recipes may differ in any number but epochs and batch size, not in optimiser, loss or schedule name."""
    raise NotImplementedError


def faster_stacked(nets: Sequence[nn.Module], members: Sequence[Member], folds: Sequence[Fold], **settings: Any) -> Any:
    """A short timing: seconds a step and member, stacked and alone."""
    raise NotImplementedError
