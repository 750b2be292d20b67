"""Encoder–decoders: a net reads a source and writes the target, token by token."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from danlu.nets.blocks.alignment import ATTENTIONS, Alignment
from danlu.nets.cells import Recurrent
from danlu.nets.decoding import Memory, written
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import CELLS, lengths_of, recurrent_layer, run, within_lengths


class EncoderDecoder(nn.Module, ABC):
    """What these nets are: pairs of a source and of what the decoder is given, int64 [N, 2, T], to the logits of each
    next token of the target [N, T, outputs] (teacher forcing). 0 is padding and stands at the ends; where the decoder
    is given none the logits are 0.
    """

    sample_dtype = torch.int64

    def forward(self, pairs: Tensor) -> Tensor:
        source, given = pairs[:, 0], pairs[:, 1]
        longest = int(lengths_of(given).max())
        logits = self.decode(self.encode(_without_ends(source)), given[:, :longest])
        # What stands behind an end is nobody's: it must not depend on how long the others of the batch are.
        logits = logits.masked_fill((given[:, :longest] == 0)[..., None], 0.0)
        return nn.functional.pad(logits, (0, 0, 0, given.shape[1] - longest))

    @torch.no_grad()
    def translate(self, sources: Tensor, *, beam: int = 1) -> Tensor:
        """What the net writes for sources int64 [N, T], or for those of pairs [N, 2, T]: tokens int64, no more than T,
        the last of which is 3 (the end), with 0 behind.

        The likeliest token is taken each time, or with a `beam` the best of so many beginnings that are gone on with.
        """
        sources = sources[:, 0] if sources.dim() == 3 else sources
        return written(self.encode(_without_ends(sources)), self.step, beam=beam, most=sources.shape[1])

    @abstractmethod
    def encode(self, source: Tensor) -> Memory:
        """What is known of sources [N, S] before the first token is written; padding must not change it."""

    @abstractmethod
    def decode(self, memory: Memory, given: Tensor) -> Tensor:
        """The logits of each next token, [N, T, outputs], where the tokens [N, T] before it are given; none of them
        depends on a later token.
        """

    @abstractmethod
    def step(self, memory: Memory, last: Tensor) -> tuple[Tensor, Memory]:
        """The logits of the next token [N, outputs] behind the `last` ones [N], and the memory after that."""


def _without_ends(source: Tensor) -> Tensor:
    """Sources [N, T] without the places at the end where all of them are padding."""
    return source[:, : int(lengths_of(source).max())]


class RecurrentEncoderDecoder(EncoderDecoder):
    """A recurrent net reads the source, both ways; another writes the target and looks back at the source's states.

    Sutskever et al. 2014 (https://arxiv.org/abs/1409.3215) with the attention of Luong et al. 2015
    (https://arxiv.org/abs/1508.04025), whose state looks back after each token: `attention` is "dot", "additive" or
    "none" (see `Alignment`). Pairs int64 [N, 2, T] of a source (numbers below `vocabulary`) and of what the decoder is
    given (below `outputs`) become logits [N, T, outputs]. `cell` is "rnn", "gru" or "lstm", with `layers` of width
    `hidden`; `bidirectional` is the encoder alone. `dropout` stands between embeddings, layers and output. Raises
    UserError for options that do not fit.

    >>> net = RecurrentEncoderDecoder(vocabulary=28, outputs=20)
    >>> net(torch.tensor([[[5, 4, 7, 0], [2, 9, 0, 0]]])).shape, net.translate(torch.tensor([[5, 4, 7, 0]])).shape[0]
    (torch.Size([1, 4, 20]), 1)
    """

    def __init__(
        self,
        vocabulary: int,
        outputs: int,
        cell: str = "gru",
        embedding: int = 64,
        hidden: int = 128,
        layers: int = 1,
        attention: str = "dot",
        bidirectional: bool = True,
        dropout: float = 0.1,
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.vocabulary = check.count("vocabulary", vocabulary, least=2)
        self.outputs = check.count("outputs", outputs, least=4)
        self.cell = check.choice("cell", cell, CELLS)
        self.embedding = check.count("embedding", embedding)
        self.hidden = check.count("hidden", hidden)
        self.layers = check.layers("layers", layers)
        self.attention = check.choice("attention", attention, ATTENTIONS)
        self.bidirectional = check.flag("bidirectional", bidirectional)
        self.dropout = check.fraction("dropout", dropout)
        self.init = init_option(check, init)
        check.done()
        self.embed_source = nn.Embedding(self.vocabulary, self.embedding, padding_idx=0)
        self.embed_target = nn.Embedding(self.outputs, self.embedding, padding_idx=0)
        self.drop = nn.Dropout(self.dropout)
        read = self.hidden * (1 + self.bidirectional)
        self.encoder = self._recurrent(self.bidirectional)
        self.decoder = self._recurrent(False)
        self.bridge = nn.Linear(read, self.hidden)
        self.alignment = Alignment(self.hidden, read, self.attention)
        self.combine = nn.Linear(self.hidden + read, self.hidden)
        self.output = nn.Linear(self.hidden, self.outputs)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def encode(self, source: Tensor) -> Memory:
        """Keys and states of the source [N, S, …], which places it has, and the decoder's first state [N, layers, …]
        (of an LSTM two).
        """
        lengths = lengths_of(source)
        states, last = run(self.encoder, self.drop(self.embed_source(source)), lengths=lengths)
        within = within_lengths(source, lengths)
        first = [torch.tanh(self.bridge(self._both_ways(part))) for part in (last if self.cell == "lstm" else (last,))]
        return self.alignment.keys(states), states, within, *first

    def decode(self, memory: Memory, given: Tensor) -> Tensor:
        return self._continued(memory, given)[0]

    def step(self, memory: Memory, last: Tensor) -> tuple[Tensor, Memory]:
        logits, state = self._continued(memory, last[:, None])
        return logits[:, 0], (*memory[:3], *state)

    def _continued(self, memory: Memory, given: Tensor) -> tuple[Tensor, Memory]:
        keys, states, within, *first = memory
        before = [part.transpose(0, 1).contiguous() for part in first]
        written, after = run(
            self.decoder,
            self.drop(self.embed_target(given)),
            (before[0], before[1]) if self.cell == "lstm" else before[0],
        )
        seen = self.alignment(written, keys, states, within)
        combined = torch.tanh(self.combine(torch.cat([written, seen], -1)))
        state = after if self.cell == "lstm" else (after,)
        return self.output(self.drop(combined)), tuple(part.transpose(0, 1) for part in state)

    def _recurrent(self, bidirectional: bool) -> nn.RNNBase | Recurrent:
        return recurrent_layer(
            self.cell,
            self.embedding,
            self.hidden,
            self.layers,
            dropout=self.dropout,
            placement="around",
            engine="auto",
            forget_bias=1.0,
            bidirectional=bidirectional,
        )

    def _both_ways(self, last: Tensor) -> Tensor:
        """The encoder's last states [layers · ways, N, hidden] as [N, layers, ways · hidden]."""
        ways = 1 + self.bidirectional
        return last.unflatten(0, (self.layers, ways)).permute(2, 0, 1, 3).flatten(2)
