"""Numbers that are left out at random: heard where torch draws the masks, whatever function or class asked for them."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_DRAWN = ("aten::bernoulli_.float", "aten::native_dropout", "aten::bernoulli.p")
_EVEN = ("aten::rand", "aten::rand_like", "aten::uniform_")
_SHIFTS = ("aten::add.Tensor", "aten::add.Scalar", "aten::add_.Tensor", "aten::add_.Scalar")
_CUTS = ("aten::floor", "aten::floor_")


class DrawnMasks(TorchDispatchMode):
    """Inside of it masks are noticed that keep each number with one probability, or each sample: of dropout, of a
    branch that is passed by. Those that follow from the input, as in a restricted Boltzmann machine, are none.

    >>> with DrawnMasks() as masks:
    ...     _ = torch.empty(4, 1).bernoulli_(0.9)
    >>> masks.drawn
    True
    """

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self.drawn = False
        self._even: list[torch.Tensor] = []  # numbers drawn evenly, and the same moved on by a number

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func.name()) if hasattr(func, "name") else ""
        if name.removesuffix(".default") in _DRAWN:
            self.drawn = True
        elif name.removesuffix(".default") in _EVEN:
            self._even.append(result)
        elif self._even and name in (*_SHIFTS, *_CUTS):
            # torch may hand on another object with the same numbers.
            places = {one.data_ptr() for one in self._even}
            if any(isinstance(one, torch.Tensor) and one.data_ptr() in places for one in args):
                self._even.append(result)
                self.drawn = self.drawn or name in _CUTS
        return result
