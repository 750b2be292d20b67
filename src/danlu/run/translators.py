"""Nets that write texts: what a net of the user's own must have for that."""

from collections.abc import Callable
from typing import Any, cast

from torch import Tensor, nn

from danlu.base.errors import fail


def translator_of(net: nn.Module, task: str) -> Callable[[Tensor], Tensor] | None:
    """What of `net` writes a text token by token, as `EncoderDecoder.translate` does; None for other tasks. UserError
    where a net of the user's own has none.
    """
    if task != "translation":
        return None
    translate: Any = getattr(net, "translate", None)
    if not callable(translate):
        fail("lab.cannot-translate", net=type(net).__name__)
    return cast(Callable[[Tensor], Tensor], translate)
