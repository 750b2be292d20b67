"""Transformers over tokens: a language model (GPT), and a classifier of whole sequences."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.nets.blocks.attention import POSITIONS, SPREAD, TransformerBlock, earlier, sinusoids, small_weights
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import lengths_of


class TransformerLanguageModel(nn.Module):
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

    sample_dtype = torch.int64

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
        _common_options(self, check, embedding, heads, layers, dropout, positions, init)
        self.embed = nn.Embedding(self.vocabulary, self.embedding)
        self.drop = nn.Dropout(self.dropout)
        self.blocks = _blocks(self)
        self.norm = nn.LayerNorm(self.embedding)
        self.output = nn.Linear(self.embedding, self.vocabulary, bias=not self.tied)
        _first_weights(self)
        if self.tied:
            self.output.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.drop(_placed(self.embed(tokens), self.positions))
        seen = earlier(tokens, self.context)
        for block in self.blocks:
            x = block(x, seen)
        return self.output(self.norm(x))


class TransformerClassifier(nn.Module):
    """Sequences of tokens, int64 [N, T] from 0 to vocabulary - 1, to logits [N, classes].

    0 is padding and stands at the end, as for `SequenceClassifier`: no token looks at it, and the logits come from the
    mean of the others. Every token sees all others of its sequence. The options are those of
    `TransformerLanguageModel`. Raises UserError for options that do not fit.

    >>> TransformerClassifier(vocabulary=28, classes=18)(torch.tensor([[3, 1, 4, 0], [1, 5, 9, 2]])).shape
    torch.Size([2, 18])
    """

    sample_dtype = torch.int64

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
        _common_options(self, check, embedding, heads, layers, dropout, positions, init)
        self.embed = nn.Embedding(self.vocabulary, self.embedding, padding_idx=0)
        self.drop = nn.Dropout(self.dropout)
        self.blocks = _blocks(self)
        self.norm = nn.LayerNorm(self.embedding)
        self.output = nn.Linear(self.embedding, self.classes)
        _first_weights(self)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        lengths = lengths_of(tokens) if lengths is None else lengths
        places = torch.arange(tokens.shape[1], device=tokens.device)
        within = places < lengths[:, None]
        x = self.drop(_placed(self.embed(tokens), self.positions))
        for block in self.blocks:
            x = block(x, within[:, None, None])
        x = (self.norm(x) * within[..., None]).sum(1) / lengths[:, None].to(x.dtype)
        return self.output(x)


def _common_options(
    net: Any,
    check: OptionCheck,
    embedding: int,
    heads: int,
    layers: int,
    dropout: float,
    positions: str,
    init: Init,
) -> None:
    """The options of both nets, checked, as attributes of `net`. UserError for all that do not fit."""
    net.embedding = check.count("embedding", embedding)
    net.heads = check.count("heads", heads)
    net.layers = check.layers("layers", layers)
    net.dropout = check.fraction("dropout", dropout)
    net.positions = check.choice("positions", positions, POSITIONS)
    net.init = init_option(check, init)
    if net.embedding % (2 * net.heads):
        check.refuse("heads", heads, Fault("nets.wanted-heads", {"embedding": net.embedding}))
    check.done()


def _blocks(net: Any) -> nn.ModuleList:
    options: dict[str, Any] = {"dropout": net.dropout, "rotary": net.positions == "rotary"}
    return nn.ModuleList(TransformerBlock(net.embedding, net.heads, **options) for _ in range(net.layers))


def _first_weights(net: Any) -> None:
    small_weights(net, net.layers)
    if net.init != DEFAULT:
        initialise(net, net.init)


def _placed(x: Tensor, positions: str) -> Tensor:
    """[N, T, width] with the places added, where the blocks are not told them otherwise, at the size that the first
    embedding has too."""
    return x + math.sqrt(2) * SPREAD * sinusoids(x) if positions == "sinusoidal" else x
