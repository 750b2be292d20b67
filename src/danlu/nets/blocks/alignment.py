"""Attention of a decoder to the states of an encoder: which places of the source each place of the target looks at."""

import math

import torch
from torch import Tensor, nn

ATTENTIONS = ("dot", "additive", "none")


class Alignment(nn.Module):
    """Of each place of queries [N, T, width] the mean of the source's states [N, S, source], weighted by the softmax of
    how well they fit: [N, T, source].

    "dot" multiplies the query with a linear map of the state, over √width (Luong et al. 2015,
    https://arxiv.org/abs/1508.04025, "general"); "additive" lets a layer of tanh judge both (Bahdanau et al. 2014,
    https://arxiv.org/abs/1409.0473); "none" looks at all places alike, for comparison. `keys` are made of the states
    once, `within` (bool [N, S]) are the places that are no padding.

    >>> alignment = Alignment(8, 6, "dot")
    >>> states = torch.zeros(2, 5, 6)
    >>> alignment(torch.zeros(2, 3, 8), alignment.keys(states), states, torch.ones(2, 5, dtype=torch.bool)).shape
    torch.Size([2, 3, 6])
    """

    def __init__(self, width: int, source: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.scale = math.sqrt(width)
        if kind != "none":
            self.key = nn.Linear(source, width, bias=False)
        if kind == "additive":
            self.query = nn.Linear(width, width)
            self.judge = nn.Linear(width, 1, bias=False)

    def keys(self, states: Tensor) -> Tensor:
        """What queries are held against: [N, S, width]."""
        return states if self.kind == "none" else self.key(states)

    def forward(self, queries: Tensor, keys: Tensor, states: Tensor, within: Tensor) -> Tensor:
        return torch.bmm(self.weights(queries, keys, within), states)

    def weights(self, queries: Tensor, keys: Tensor, within: Tensor) -> Tensor:
        """How much each place of the target looks at each of the source, [N, T, S]; each row sums to 1."""
        if self.kind == "dot":
            scores = torch.bmm(queries, keys.transpose(1, 2)) / self.scale
        elif self.kind == "additive":
            scores = self.judge(torch.tanh(self.query(queries)[:, :, None] + keys[:, None]))[..., 0]
        else:
            scores = queries.new_zeros(len(queries), queries.shape[1], keys.shape[1])
        return scores.masked_fill(~within[:, None], -math.inf).softmax(-1)
