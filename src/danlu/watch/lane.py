"""The short way of an ordinary step: its loss is taken as it goes backwards, and the step is counted, nothing else."""

from collections.abc import Callable, Sequence
from typing import Any

from torch.optim.optimizer import register_optimizer_step_pre_hook


class Lane:
    """Takes ordinary steps as long as each has one backward pass, from one finite number, and one step of the one
    optimiser. While it is open nothing is asked before that step; `before` is called of any other.

    >>> import torch
    >>> lane = Lane(lambda *_: None)
    >>> lane.open(2, asked_before=True)
    >>> loss = torch.ones(3, requires_grad=True).sum()
    >>> lane.take([loss]), lane.passes(), lane.take([loss]), lane.passes(), lane.left
    (True, True, True, False, 0)
    >>> lane.emptied()
    [3.0, 3.0]
    """

    def __init__(self, before: Callable[..., Any]) -> None:
        self._before = before
        self._handle: Any = None
        self.entered = False
        self.left = 0  # ordinary steps that it may still take
        self.steps = 0  # that it has taken and nobody has asked for yet
        self._losses: list[float] = []  # theirs, and that of a step that has begun

    def ask_before(self) -> None:
        """Be told before each step of an optimiser."""
        if self._handle is None:
            self._handle = register_optimizer_step_pre_hook(self._before)

    def open(self, steps: int, *, asked_before: bool) -> None:
        """Take so many ordinary steps."""
        self.entered, self.left = True, steps
        if not asked_before:
            self.close_before()

    def close_before(self) -> None:
        """Be told before no step any more."""
        if self._handle is not None:
            self._handle.remove()
            self._handle = None

    def take(self, tensors: Sequence[Any]) -> bool:
        """Take up the loss that goes backwards; False for what must be looked at: no number, or not a finite one."""
        if len(tensors) > 1:
            return False
        root = tensors[0]
        try:
            value: Any = root.item() if root.is_cpu else None
        except (AttributeError, RuntimeError, TypeError):  # it is no tensor, has no number, or several
            return False
        if value.__class__ is not float or value - value != 0.0:  # that is NaN for what is not finite
            return False
        self._losses.append(value)
        return True

    def add(self, loss: float) -> bool:
        """Take a whole step with this finite loss, which no optimiser of torch's makes. False where it was the last."""
        self._losses.append(loss)
        self.steps += 1
        self.left -= 1
        return self.left > 0

    def passes(self) -> bool:
        """The optimiser has stepped. False where that was no ordinary step, which is not taken, or it was the last."""
        if len(self._losses) != self.steps + 1:
            return False
        self.steps += 1
        self.left -= 1
        return self.left > 0

    def emptied(self) -> list[float]:
        """The losses of the steps taken, which are given away."""
        done = self._losses[: self.steps]
        del self._losses[: self.steps]
        self.steps = 0
        return done

    def close(self) -> list[float]:
        """Take no more steps; the losses of the step that has begun."""
        begun, self._losses = self._losses[self.steps :], self._losses[: self.steps]
        self.entered, self.left = False, 0
        self.ask_before()
        return begun
