"""Steps that no optimiser makes: a loop that changes the weights by itself, as textbooks write it."""

from collections.abc import Iterable

import torch
from torch import nn

_MOST = 8  # numbers of a tensor that are compared


class Handwork:
    """Says from one backward pass to the next whether somebody has changed the weights meanwhile."""

    def __init__(self, roots: Iterable[nn.Module]) -> None:
        parameters = [one for root in roots for one in root.parameters() if one.requires_grad and one.numel()]
        self._marks = [parameters[0], parameters[len(parameters) // 2], parameters[-1]] if parameters else []
        self._before: list[torch.Tensor] | None = None

    def has_moved(self) -> bool:
        """Whether the weights differ from those of the last call; asked before every backward pass."""
        now = [mark.detach().flatten()[-_MOST:].clone() for mark in self._marks]
        before, self._before = self._before, now
        return before is not None and any(not torch.equal(one, other) for one, other in zip(now, before, strict=True))
