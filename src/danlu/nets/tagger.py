"""A tag for each token of a text: a recurrent net that reads it both ways, and a transformer."""

import torch
from torch import Tensor, nn

from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import CELLS, lengths_of, recurrent_layer, run, within_lengths
from danlu.nets.transformer import TransformerClassifier


class SequenceTagger(nn.Module):
    """Sequences of tokens, int64 [N, T] from 0 to vocabulary - 1, to logits [N, T, classes]: those of a token come from
    the states before and after it (Graves and Schmidhuber 2005, doi:10.1016/j.neunet.2005.06.042).

    0 is padding and stands at the end, where the logits mean nothing. `cell` is "rnn", "gru" or "lstm", with `layers`
    of width `hidden` each way; without `bidirectional` a token is judged by what comes before it alone. `dropout`
    stands between embedding, layers and output. Raises UserError for options that do not fit.

    >>> SequenceTagger(vocabulary=28, classes=5)(torch.tensor([[3, 1, 4, 0], [1, 5, 9, 2]])).shape
    torch.Size([2, 4, 5])
    """

    sample_dtype = torch.int64

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        cell: str = "lstm",
        embedding: int = 64,
        hidden: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.2,
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
        self.init = init_option(check, init)
        check.done()
        self.embed = nn.Embedding(self.vocabulary, self.embedding, padding_idx=0)
        self.drop = nn.Dropout(self.dropout)
        self.recurrent = recurrent_layer(
            self.cell,
            self.embedding,
            self.hidden,
            self.layers,
            dropout=self.dropout,
            placement="around",
            engine="auto",
            forget_bias=1.0,
            bidirectional=self.bidirectional,
        )
        self.output = nn.Linear(self.hidden * (1 + self.bidirectional), self.classes)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = run(self.recurrent, self.drop(self.embed(tokens)), lengths=lengths_of(tokens))
        return self.output(self.drop(states))


class TransformerTagger(TransformerClassifier):
    """Sequences of tokens, int64 [N, T] from 0 to vocabulary - 1, to logits [N, T, classes]: blocks of attention in
    which every token sees all others of its text, and none the padding of 0 behind it.

    The options are those of `TransformerClassifier`. Raises UserError for options that do not fit.

    >>> TransformerTagger(vocabulary=28, classes=5)(torch.tensor([[3, 1, 4, 0], [1, 5, 9, 2]])).shape
    torch.Size([2, 4, 5])
    """

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        within = within_lengths(tokens, lengths_of(tokens) if lengths is None else lengths)
        return self.output(self.read(tokens, within[:, None, None]))
