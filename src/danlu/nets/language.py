"""A language model: after each token, what comes next."""

from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.nets.cells import State
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import CELLS, PLACEMENTS, check_engine, recurrent_layer, run


class LanguageModel(nn.Module):
    """Tokens (characters or words), int64 [N, T], to the logits of each next token [N, T, vocabulary], and the state.

    The state after the last token is handed out and taken in again, so that a text goes on from batch to batch:
    `logits, state = net(tokens, detached(state))`, where `detached` ends the gradient's way back (truncated
    back-propagation). None begins anew. It is that of torch's layers: [layers, N, hidden], for an LSTM a pair of such.

    With `tied` the embedding's matrix is also that of the output (Press and Wolf 2016,
    https://arxiv.org/abs/1608.05859), for which `embedding` must equal `hidden`. The other options are those of
    `SequenceClassifier`. Raises UserError for options that do not fit.

    >>> net = LanguageModel(vocabulary=50)
    >>> logits, state = net(torch.ones(2, 35, dtype=torch.int64))
    >>> logits, state = net(torch.ones(2, 35, dtype=torch.int64), detached(state))
    >>> logits.shape
    torch.Size([2, 35, 50])
    """

    sample_dtype = torch.int64

    def __init__(
        self,
        vocabulary: int,
        cell: str = "lstm",
        embedding: int = 128,
        hidden: int = 128,
        layers: int = 1,
        tied: bool = False,
        dropout: float = 0.0,
        dropout_placement: str = "around",
        forget_bias: float = 1.0,
        engine: str = "auto",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.vocabulary = check.count("vocabulary", vocabulary, least=2)
        self.cell = check.choice("cell", cell, CELLS)
        self.embedding = check.count("embedding", embedding)
        self.hidden = check.count("hidden", hidden)
        self.layers = check.layers("layers", layers)
        self.tied = check.flag("tied", tied)
        if self.tied and self.embedding != self.hidden:
            wanted = Fault("nets.wanted-tied", {"embedding": self.embedding, "hidden": self.hidden})
            check.refuse("tied", tied, wanted)
        self.dropout = check.fraction("dropout", dropout)
        self.dropout_placement = check.choice("dropout_placement", dropout_placement, PLACEMENTS)
        self.forget_bias = check.number("forget_bias", forget_bias)
        self.engine = check_engine(check, engine, self.dropout_placement, self.dropout)
        self.init = init_option(check, init)
        check.done()
        self.embed = nn.Embedding(self.vocabulary, self.embedding)
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
        )
        self.output = nn.Linear(self.hidden, self.vocabulary)
        if self.init != DEFAULT:
            initialise(self, self.init)
        if self.tied:
            # The embedding takes the output's small weights: its own, of deviation 1, would saturate the softmax.
            self.embed.weight = self.output.weight

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, Any]:
        outputs, state = run(self.recurrent, self.drop(self.embed(tokens)), state)
        return self.output(self.drop(outputs)), state


def detached(state: State) -> State:
    """The same numbers without the history that led to them.

    >>> detached((torch.ones(1, requires_grad=True), torch.zeros(1)))
    (tensor([1.]), tensor([0.]))
    """
    return state.detach() if isinstance(state, Tensor) else tuple(part.detach() for part in state)
