"""Nets that write texts: what a net of the user's own must have for that."""

from collections.abc import Callable

from torch import Tensor, nn

from danlu.base.errors import fail


def translator_of(net: nn.Module, task: str) -> Callable[[Tensor], Tensor] | None:
    """What of `net` writes a text token by token, as `EncoderDecoder.translate` does; None for other tasks. UserError
    where a net of the user's own has none.
    """
    if task != "translation":
        return None
    translate = getattr(net, "translate", None)
    return translate if callable(translate) else fail("lab.cannot-translate", net=type(net).__name__)
