"""The encoder–decoder of transformers, in small."""

from typing import Any

import torch
from torch import Tensor, nn

from danlu.nets.blocks.attention import DecoderBlock, TransformerBlock, earlier, small_weights
from danlu.nets.decoding import Memory
from danlu.nets.encoder_decoder import EncoderDecoder
from danlu.nets.initialisers import DEFAULT, Init, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import lengths_of, within_lengths
from danlu.nets.transformer import TransformerBase


class TransformerEncoderDecoder(EncoderDecoder, TransformerBase):
    """Blocks of attention read the source; others write the target and look at its earlier tokens and at the source.

    Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762), normalised before each part. Pairs int64 [N, 2, T] of a
    source (numbers below `vocabulary`) and of what the decoder is given (below `outputs`) become logits
    [N, T, outputs]. `layers` are those of the encoder, and as many of the decoder; the other options are those of
    `TransformerLanguageModel`. Raises UserError for options that do not fit.

    >>> net = TransformerEncoderDecoder(vocabulary=28, outputs=20)
    >>> net(torch.tensor([[[5, 4, 7, 0], [2, 9, 0, 0]]])).shape
    torch.Size([1, 4, 20])
    """

    def __init__(
        self,
        vocabulary: int,
        outputs: int,
        embedding: int = 64,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
        positions: str = "sinusoidal",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.vocabulary = check.count("vocabulary", vocabulary, least=2)
        self.outputs = check.count("outputs", outputs, least=4)
        self.settle(check, embedding, heads, layers, dropout, positions, init)
        rotary, layer = self.positions == "rotary", range(self.layers)
        self.embed_source = nn.Embedding(self.vocabulary, self.embedding, padding_idx=0)
        self.embed_target = nn.Embedding(self.outputs, self.embedding, padding_idx=0)
        self.drop = nn.Dropout(self.dropout)
        sizes: dict[str, Any] = {"dropout": self.dropout, "rotary": rotary}
        self.encoder = nn.ModuleList(TransformerBlock(self.embedding, self.heads, **sizes) for _ in layer)
        self.source_norm = nn.LayerNorm(self.embedding)
        self.decoder = nn.ModuleList(DecoderBlock(self.embedding, self.heads, **sizes) for _ in layer)
        self.norm = nn.LayerNorm(self.embedding)
        self.output = nn.Linear(self.embedding, self.outputs)
        small_weights(self, self.layers)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def encode(self, source: Tensor) -> Memory:
        """What stands at each place of the source [N, S, embedding], which places it has, and no token yet [N, 0]."""
        within = within_lengths(source, lengths_of(source))
        x = self.placed(self.embed_source(source))
        for block in self.encoder:
            x = block(x, within[:, None, None])
        return self.source_norm(x), within, source[:, :0]

    def decode(self, memory: Memory, given: Tensor) -> Tensor:
        source, within = memory[:2]
        x, before = self.placed(self.embed_target(given)), earlier(given, given.shape[1])
        for block in self.decoder:
            x = block(x, before, source, within[:, None, None])
        return self.output(self.norm(x))

    def step(self, memory: Memory, last: Tensor) -> tuple[Tensor, Memory]:
        source, within, tokens = memory
        tokens = torch.cat([tokens, last[:, None]], 1)
        return self.decode(memory, tokens)[:, -1], (source, within, tokens)
