"""Steps that no optimiser makes: a loop that changes the weights by itself, as textbooks write it."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from danlu.watch.tracing import is_unmade, unreadable, unwrapped

_MOST = 8  # numbers of a tensor that are compared


class Handwork:
    """Says from one backward pass to the next whether somebody has changed the weights meanwhile: those of the net, or
    those that torch.func.functional_call puts in their place."""

    def __init__(self, roots: Iterable[nn.Module]) -> None:
        parameters = [one for root in roots for one in root.parameters() if one.requires_grad]
        self._marks = _spread([one for one in parameters if is_unmade(one) or one.numel()])
        self._before: list[torch.Tensor] | None = None
        self._given: list[torch.Tensor] = []
        self._given_before: list[torch.Tensor] | None = None

    def has_moved(self) -> bool:
        """Whether the weights differ from those of the last call; asked before every backward pass."""
        before, self._before = self._before, _read(self._marks)
        return before is not None and _differ(self._before, before)

    @property
    def is_given(self) -> bool:
        """Whether the net was called with other weights than its own since the last answer."""
        return bool(self._given)

    def see_given(self, module: nn.Module) -> None:
        """Take up the weights with which a module is called inside torch.func."""
        self._given = _read(_spread(list(module.parameters())))

    def has_moved_given(self) -> bool:
        """The same question, of the weights that were given."""
        before, self._given_before, self._given = self._given_before, self._given, []
        return before is not None and _differ(self._given_before, before)


def _spread(parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [parameters[0], parameters[len(parameters) // 2], parameters[-1]] if parameters else []


def _read(marks: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    plain = [unwrapped(mark).detach() for mark in marks]
    return [mark.flatten()[-_MOST:].clone() for mark in plain if not unreadable(mark)]


def _differ(now: Sequence[torch.Tensor], before: Sequence[torch.Tensor]) -> bool:
    return any(
        one.dtype is other.dtype and one.device == other.device and not torch.equal(one, other)
        for one, other in zip(now, before, strict=False)
    )
