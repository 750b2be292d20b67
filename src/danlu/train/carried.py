"""A net with a memory, called batch after batch: its state goes on, the gradient's way back ends at each batch.

That is truncated back-propagation through time (Williams and Peng 1990, https://doi.org/10.1162/neco.1990.2.4.490).
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import nn

from danlu.base.errors import fail


class Carried:
    """Calls `net` and hands its state on: a net that returns (outputs, state) is called with that state the next time.

    A net that returns outputs alone has no memory and is called as it is; so is one whose forward takes no state, and
    any where `keeps` is False, for batches that do not go on from each other. What comes are the outputs, always.

    >>> net = Carried(nn.RNN(3, 4))
    >>> net(torch.ones(5, 2, 3)).shape, net.state.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, net: nn.Module, *, keeps: bool = True) -> None:
        self._net = net
        self._keeps = keeps and _takes_state(net)
        self.state: Any = None

    def __call__(self, inputs: torch.Tensor) -> Any:
        result = self._net(inputs) if self.state is None else self._net(inputs, self.state)
        if not isinstance(result, tuple):
            return result
        several = cast(tuple[Any, ...], result)
        self.state = each_tensor(several[1], torch.Tensor.detach) if self._keeps and len(several) == 2 else None
        return several[0]


def _takes_state(net: nn.Module) -> bool:
    """Whether `forward` has a place for a second argument."""
    kinds = [parameter.kind for parameter in inspect.signature(net.forward).parameters.values()]
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Parameter.VAR_POSITIONAL in kinds or sum(kind in by_place for kind in kinds) > 1


def each_tensor(state: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A state (a tensor, tuples or lists of them, or None) with every tensor changed."""
    if isinstance(state, torch.Tensor):
        return change(state)
    if isinstance(state, tuple | list):
        parts = [each_tensor(part, change) for part in cast(Iterable[Any], state)]
        return tuple(parts) if isinstance(state, tuple) else parts
    return None if state is None else fail("train.strange-state", found=type(state).__name__)
