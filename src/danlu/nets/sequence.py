"""Sequences of tokens into classes: embedding, recurrent layers, the last state, one linear layer."""

from typing import Any

import torch
from torch import Tensor, nn

from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import CELLS, PLACEMENTS, check_engine, lengths_of, recurrent_layer, run


class SequenceClassifier(nn.Module):
    """Sequences of tokens, int64 [N, T] from 0 to vocabulary - 1, to logits [N, classes].

    0 is padding and stands at the end; a sample's length is the place of its last token that is not 0, or what is given
    as `lengths` (int64 [N], 1 to T). Only what lies within the length counts. The logits come from the state of the
    last layer after the last token, with `bidirectional` joined by that of the way back after the first token.

    `cell` is "rnn", "gru" or "lstm", with `layers` of width `hidden`. `dropout` stands between embedding, layers and
    output (`dropout_placement` "around"), or, for comparison, inside the recurrence ("inside"). `forget_bias` is the
    forget gate's bias at the start (LSTM only). `engine` "torch" takes torch's layers, "own" danlu's of equal result,
    "auto" the faster that can do it. Raises UserError for options that do not fit.

    >>> SequenceClassifier(vocabulary=28, classes=18)(torch.tensor([[3, 1, 4, 0], [1, 5, 9, 2]])).shape
    torch.Size([2, 18])
    """

    sample_dtype = torch.int64

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        cell: str = "lstm",
        embedding: int = 64,
        hidden: int = 128,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        dropout_placement: str = "around",
        forget_bias: float = 1.0,
        engine: str = "auto",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.vocabulary = check.count("vocabulary", vocabulary, least=2)
        self.classes = check.count("classes", classes)
        self.cell = check.choice("cell", cell, CELLS)
        self.embedding = check.count("embedding", embedding)
        self.hidden = check.count("hidden", hidden)
        self.layers = check.layers("layers", layers)
        self.bidirectional = check.flag("bidirectional", bidirectional)
        self.dropout = check.fraction("dropout", dropout)
        self.dropout_placement = check.choice("dropout_placement", dropout_placement, PLACEMENTS)
        self.forget_bias = check.number("forget_bias", forget_bias)
        self.engine = check_engine(check, engine, self.dropout_placement, self.dropout)
        self.init = init_option(check, init)
        check.done()
        self.embed = nn.Embedding(self.vocabulary, self.embedding, padding_idx=0)
        self.drop = nn.Dropout(self.dropout if self.dropout_placement == "around" else 0.0)
        self.recurrent = recurrent_layer(
            self.cell,
            self.embedding,
            self.hidden,
            self.layers,
            dropout=self.dropout,
            placement=self.dropout_placement,
            engine=self.engine,
            forget_bias=self.forget_bias,
            bidirectional=self.bidirectional,
        )
        self.output = nn.Linear(self.hidden * (1 + self.bidirectional), self.classes)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        lengths = lengths_of(tokens) if lengths is None else lengths
        state: Any
        _, state = run(self.recurrent, self.drop(self.embed(tokens)), lengths=lengths)
        h: Tensor = state[0] if isinstance(state, tuple) else state
        last = torch.cat([h[-2], h[-1]], dim=-1) if self.bidirectional else h[-1]
        return self.output(self.drop(last))
