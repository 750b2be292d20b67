"""Transformers over tokens: a language model (GPT), and a classifier of whole sequences."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.nets.blocks.attention import POSITIONS, SPREAD, TransformerBlock, earlier, sinusoids, small_weights
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import lengths_of, within_lengths


class TransformerBase(nn.Module):
    """What these nets are: tokens, int64 [N, T], embedded, told their places, and mixed by blocks of attention."""

    sample_dtype = torch.int64
    embedding: int
    heads: int
    layers: int
    dropout: float
    positions: str
    init: Any
    embed: nn.Embedding
    drop: nn.Dropout

    def settle(
        self, check: OptionCheck, embedding: int, heads: int, layers: int, dropout: float, positions: str, init: Init
    ) -> None:
        """The options that all have, as attributes. UserError for all that do not fit."""
        self.embedding = check.count("embedding", embedding)
        self.heads = check.count("heads", heads)
        self.layers = check.layers("layers", layers)
        self.dropout = check.fraction("dropout", dropout)
        self.positions = check.choice("positions", positions, POSITIONS)
        self.init = init_option(check, init)
        if self.embedding % (2 * self.heads):
            check.refuse("heads", heads, Fault("nets.wanted-heads", {"embedding": self.embedding}))
        check.done()

    def build(self, outputs: int, *, bias: bool) -> None:
        """The layers behind the embedding."""
        rotary = self.positions == "rotary"
        self.drop = nn.Dropout(self.dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(self.embedding, self.heads, dropout=self.dropout, rotary=rotary)
            for _ in range(self.layers)
        )
        self.norm = nn.LayerNorm(self.embedding)
        self.output = nn.Linear(self.embedding, outputs, bias=bias)
        small_weights(self, self.layers)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def read(self, tokens: Tensor, seen: Tensor) -> Tensor:
        """[N, T, embedding]: what stands at each place once it has looked at those that it may see."""
        x = self.placed(self.embed(tokens))
        for block in self.blocks:
            x = block(x, seen)
        return self.norm(x)

    def placed(self, embedded: Tensor) -> Tensor:
        """Embedded tokens [N, T, embedding], told their places where that is what is added to them."""
        if self.positions == "sinusoidal":  # of the size that the embedding has at first
            embedded = embedded + math.sqrt(2) * SPREAD * sinusoids(embedded)
        return self.drop(embedded)


class TransformerLanguageModel(TransformerBase):
    """Tokens (characters or words), int64 [N, T], to the logits of each next token [N, T, vocabulary].

    The transformer of GPT-2 (Radford et al. 2019) in small: `layers` blocks of causal self-attention with `heads` heads
    on vectors of `embedding` numbers, which `heads` divides into even parts. In a block each token sees itself and the
    `context` - 1 tokens before it, and none that comes later; `context` is the length of the pieces that it is trained
    on (`data.steps`), so that a longer text can be read too. It has no state, as a recurrent net has: what it is to
    know of a text stands in the piece, so give it longer ones (`data.steps = 128`).

    `positions` tell the places apart: "rotary" (Su et al. 2021), "sinusoidal" (Vaswani et al. 2017), or "none", for
    comparison. With `tied` the embedding's matrix is also that of the output (Press and Wolf 2016). Raises UserError
    for options that do not fit.

    >>> net = TransformerLanguageModel(vocabulary=50)
    >>> net(torch.ones(2, 35, dtype=torch.int64)).shape
    torch.Size([2, 35, 50])
    """

    def __init__(
        self,
        vocabulary: int,
        context: int = 128,
        embedding: int = 128,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
        positions: str = "rotary",
        tied: bool = True,
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.vocabulary = check.count("vocabulary", vocabulary, least=2)
        self.context = check.count("context", context)
        self.tied = check.flag("tied", tied)
        self.settle(check, embedding, heads, layers, dropout, positions, init)
        self.embed = nn.Embedding(self.vocabulary, self.embedding)
        self.build(self.vocabulary, bias=not self.tied)
        if self.tied:
            self.output.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.output(self.read(tokens, earlier(tokens, self.context)))


class TransformerClassifier(TransformerBase):
    """Sequences of tokens, int64 [N, T] from 0 to vocabulary - 1, to logits [N, classes].

    0 is padding and stands at the end, as for `SequenceClassifier`: no token looks at it, and the logits come from the
    mean of the others. Every token sees all others of its sequence. The options are those of
    `TransformerLanguageModel`. Raises UserError for options that do not fit.

    >>> TransformerClassifier(vocabulary=28, classes=18)(torch.tensor([[3, 1, 4, 0], [1, 5, 9, 2]])).shape
    torch.Size([2, 18])
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        embedding: int = 64,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
        positions: str = "rotary",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.vocabulary = check.count("vocabulary", vocabulary, least=2)
        self.classes = check.count("classes", classes)
        self.settle(check, embedding, heads, layers, dropout, positions, init)
        self.embed = nn.Embedding(self.vocabulary, self.embedding, padding_idx=0)
        self.build(self.classes, bias=True)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        lengths = lengths_of(tokens) if lengths is None else lengths
        within = within_lengths(tokens, lengths)
        x = self.read(tokens, within[:, None, None])
        return self.output((x * within[..., None]).sum(1) / lengths[:, None].to(x.dtype))
