"""Whether a net fits into this machine's memory, asked before its layers are made."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from danlu.base.errors import Fault
from danlu.base.memory import OutOfMemoryError
from danlu.base.seeds import memory_limit

_BYTES = 4
_COPIES = 3  # weights, their gradient, and what the optimiser keeps
_NO_QUESTION = 16  # a net below such a part of the memory needs no closer look
_MAKERS = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn}


def built_where_it_fits(build: Callable[[], nn.Module], name: str, options: Mapping[str, Any]) -> nn.Module:
    """What `build` makes. OutOfMemoryError, with the number of parameters, where a training of it could not fit into
    memory; nothing of it is made then.

    >>> built_where_it_fits(lambda: nn.Linear(4, 3), "linear", {})
    Linear(in_features=4, out_features=3, bias=True)
    """
    limit = memory_limit()
    try:
        with _Counted(limit // _NO_QUESTION // _BYTES):
            return build()
    except _ManyNumbersError:
        with torch.device("meta"):
            count = sum(parameter.numel() for parameter in build().parameters())
        needed = count * _BYTES * _COPIES
        if needed > limit:
            told = ", ".join(f"{key}={value}" for key, value in options.items())
            sizes = {"parameters": f"{count:,}", "needed": f"{needed / 2**30:,.1f}", "limit": f"{limit / 2**30:,.1f}"}
            raise OutOfMemoryError(Fault("memory.net-too-large", {"net": name, "options": told, **sizes})) from None
    return build()


class _ManyNumbersError(BaseException):
    """More numbers were asked for than need no question: no error of whoever builds the net, nor for them to catch."""


class _Counted(TorchFunctionMode):
    """Lets tensors be made while their numbers are no more than `most` in all."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _MAKERS:
            sizes = args[0] if args and isinstance(args[0], tuple | list) else args
            product = 1
            for size in sizes:
                product *= int(size)
            self._left -= product
            if self._left < 0:
                raise _ManyNumbersError
        return func(*args, **(kwargs or {}))
