"""Steps that no optimiser makes: a loop that changes the weights by itself, as textbooks write it."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from danlu.watch.tracing import is_unmade, outside_transforms, unreadable, unwrapped

_MOST = 8  # numbers of a tensor that are compared
_Marks = list[torch.Tensor | None]  # None for what could not be read


class Handwork:
    """Says from one backward pass to the next whether somebody has changed the weights meanwhile: those of the net, or
    those that torch.func.functional_call puts in their place."""

    def __init__(self, roots: Iterable[nn.Module]) -> None:
        parameters = [one for root in roots for one in root.parameters() if one.requires_grad]
        self._marks = _spread([one for one in parameters if is_unmade(one) or one.numel()])
        self.stale = 0  # changes in a row after which the gradients were still there when the next ones came
        self._before: _Marks | None = None
        self._given: _Marks = []
        self._given_before: _Marks | None = None

    def has_moved(self) -> bool:
        """Whether the weights differ from those of the last call; asked before every backward pass."""
        before, self._before = self._before, _read(self._marks)
        if before is None or not _differ(self._before, before):
            return False
        self.stale = self.stale + 1 if any(map(_has_gradient, self._marks)) else 0
        return True

    @property
    def is_given(self) -> bool:
        """Whether the net was called with other weights than its own since the last answer."""
        return any(one is not None for one in self._given)

    def see_given(self, module: nn.Module) -> None:
        """Take up the weights with which a module is called inside torch.func."""
        with outside_transforms():
            self._given = _read(_spread(list(module.parameters())))

    def has_moved_given(self) -> bool:
        """The same question, of the weights that were given."""
        before, self._given_before, self._given = self._given_before, self._given, []
        return before is not None and _differ(self._given_before, before)


def _has_gradient(mark: torch.Tensor) -> bool:
    return mark.grad is not None and not unreadable(mark.grad) and bool(mark.grad.any())


def _spread(parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [parameters[0], parameters[len(parameters) // 2], parameters[-1]] if parameters else []


def _read(marks: Sequence[torch.Tensor]) -> _Marks:
    plain = [unwrapped(mark) for mark in marks]
    return [None if unreadable(mark) else mark.detach().flatten()[-_MOST:].clone() for mark in plain]


def _differ(now: _Marks, before: _Marks) -> bool:
    pairs = [(one, other) for one, other in zip(now, before, strict=False) if one is not None and other is not None]
    return any(
        one.dtype is other.dtype and one.device == other.device and not torch.equal(one, other) for one, other in pairs
    )
