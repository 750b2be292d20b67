"""Nets that write texts, as one loop of the exported graph: the likeliest token each time, until all have ended."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import fail
from danlu.base.token_numbers import END, PADDING, START, UNKNOWN
from danlu.nets.encoder_decoder import EncoderDecoder

_NEVER_WRITTEN = (PADDING, UNKNOWN, START)


class Writing(nn.Module):
    """An encoder–decoder that answers: sources int64 [N, T] to what it writes, as many tokens at most of so many
    `outputs`, END among them and 0 behind it. That is what `EncoderDecoder.translate` writes without a beam.

    In the graph the decoder is told all that was written so far, with padding behind, in each step: that has the same
    size each time, whatever the net remembers. UserError for a net that is none of danlu's encoder–decoders, for only
    of those is it known that no token depends on what stands behind it.
    """

    def __init__(self, net: nn.Module, outputs: int) -> None:
        super().__init__()
        if not isinstance(net, EncoderDecoder):
            fail("export.translation", net=type(net).__name__)
        self.net = net
        self.never: Tensor
        self.register_buffer("never", torch.zeros(outputs, dtype=torch.bool), persistent=False)
        self.never[[*_NEVER_WRITTEN]] = True

    def forward(self, sources: Tensor) -> Tensor:
        if not torch.compiler.is_exporting():
            found = self.net.translate(sources)
            return nn.functional.pad(found, (0, sources.shape[1] - found.shape[1]))
        memory = self.net.encode(sources)

        def goes_on(place: Tensor, texts: Tensor) -> Tensor:
            last = texts.index_select(1, place.view(1))
            return (place < sources.shape[1]) & ~_ended(last).all()

        def one_more(place: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
            last = texts.index_select(1, place.view(1))
            logits = self.net.decode(memory, texts[:, :-1]).index_select(1, place.view(1))[:, 0]
            token = logits.masked_fill(self.never, -math.inf).argmax(1, keepdim=True)
            token = token.masked_fill(_ended(last), PADDING)
            here = torch.arange(texts.shape[1], device=texts.device) == place + 1
            return place + 1, torch.where(here, token, texts)

        begun = torch.cat([torch.full_like(sources[:, :1], START), torch.zeros_like(sources)], 1)
        loop: Any = torch.while_loop
        _, texts = loop(goes_on, one_more, (torch.zeros((), dtype=torch.int64), begun))
        return texts[:, 1:]


def _ended(tokens: Tensor) -> Tensor:
    """Whether nothing comes behind each of the tokens."""
    return (tokens == END) | (tokens == PADDING)
