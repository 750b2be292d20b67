"""Attention over a sequence, and the block of it that transformers are made of.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; normalised before each part, as GPT-2 (Radford et al. 2019) has
it: Xiong et al. 2020, https://arxiv.org/abs/2002.04745.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POSITIONS = ("rotary", "sinusoidal", "none")
_SLOWEST = 10_000.0
"""The slowest wave takes so many times 2π tokens: Vaswani et al. 2017, section 3.5."""
SPREAD = 0.02
"""The standard deviation of GPT-2's first weights (Radford et al. 2019)."""


class ScaledDotProduct(nn.Module):
    """Of each place the mean of the values, weighted by the softmax of query · key / √width: [N, heads, T, width].

    `seen` (bool, as [N, heads, T, T] or what spreads to it) are the places that each may look at.
    """

    def forward(self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)


class SelfAttention(nn.Module):
    """Each place of a sequence looks at the others, in several heads: [N, T, width] to [N, T, width].

    `seen` are the places that each may look at, as `ScaledDotProduct` takes them. With `rotary` the queries and keys
    are turned by angles that grow with the place, so that what one place makes of another depends on how far apart they
    are (Su et al. 2021, https://arxiv.org/abs/2104.09864).

    >>> SelfAttention(32, heads=4)(torch.zeros(2, 10, 32), earlier(torch.zeros(2, 10), 5)).shape
    torch.Size([2, 10, 32])
    """

    def __init__(self, width: int, heads: int, *, rotary: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.rotary = rotary
        self.projections = nn.Linear(width, 3 * width)
        self.attend = ScaledDotProduct()
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        batch, length, width = x.shape
        parts = self.projections(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if self.rotary:
            angles = _angles(length, width // self.heads, x)
            turn = angles.sin().to(x.dtype), angles.cos().to(x.dtype)
            query, key = _turned(query, *turn), _turned(key, *turn)
        mixed = self.attend(query, key, value, seen)
        return self.output(mixed.transpose(1, 2).reshape(batch, length, width))


class CrossAttention(nn.Module):
    """Each place of a text looks at those of another, in several heads: [N, T, width] and [N, S, width] to
    [N, T, width]. `seen` are the places [N, 1, 1, S] that may be looked at.

    >>> seen = torch.ones(2, 1, 1, 7, dtype=torch.bool)
    >>> CrossAttention(32, heads=4)(torch.zeros(2, 10, 32), torch.zeros(2, 7, 32), seen).shape
    torch.Size([2, 10, 32])
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.projections = nn.Linear(width, 2 * width)
        self.attend = ScaledDotProduct()
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        query = self.query(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key, value = self.projections(source).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.output(self.attend(query, key, value, seen).transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Attention, then a net of one hidden layer at each place, each added to what came in: [N, T, width] to the same.

    >>> TransformerBlock(32, heads=4, dropout=0.1)(torch.zeros(2, 10, 32), earlier(torch.zeros(2, 10), 5)).shape
    torch.Size([2, 10, 32])
    """

    def __init__(self, width: int, heads: int, *, dropout: float, rotary: bool = True) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, rotary=rotary)
        self.norm2 = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        x = x + self.drop(self.attention(self.norm1(x), seen))
        return x + self.drop(self.feed(self.norm2(x)))


class DecoderBlock(nn.Module):
    """A block that also looks at a source, between the two parts of a TransformerBlock: [N, T, width] to the same.

    >>> block, seen = DecoderBlock(32, heads=4, dropout=0.1), torch.ones(2, 1, 1, 7, dtype=torch.bool)
    >>> block(torch.zeros(2, 10, 32), earlier(torch.zeros(2, 10), 10), torch.zeros(2, 7, 32), seen).shape
    torch.Size([2, 10, 32])
    """

    def __init__(self, width: int, heads: int, *, dropout: float, rotary: bool = True) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, rotary=rotary)
        self.norm2 = nn.LayerNorm(width)
        self.cross_attention = CrossAttention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, before: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        x = x + self.drop(self.attention(self.norm1(x), before))
        x = x + self.drop(self.cross_attention(self.norm2(x), source, seen))
        return x + self.drop(self.feed(self.norm3(x)))


def earlier(tokens: Tensor, context: int) -> Tensor:
    """Which places each place of [N, T] may look at: itself and the `context` - 1 before it, bool [T, T].

    >>> earlier(torch.zeros(1, 4), context=2).int().tolist()
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    """
    places = torch.arange(tokens.shape[1], device=tokens.device)
    distance = places[:, None] - places
    return (distance >= 0) & (distance < context)


def sinusoids(x: Tensor) -> Tensor:
    """The sines and cosines that tell the places of [N, T, width]: [T, width] (Vaswani et al. 2017, section 3.5).

    >>> sinusoids(torch.zeros(1, 3, 4))[0]
    tensor([0., 0., 1., 1.])
    """
    angles = _angles(x.shape[1], x.shape[2], x)
    return torch.cat([angles.sin(), angles.cos()], 1).to(x.dtype)


def small_weights(net: nn.Module, layers: int) -> None:
    """First weights of GPT-2 (Radford et al. 2019, section 2.3): N(0, `SPREAD`), biases 0; what a block adds to its
    input starts smaller by the square root of how many such sums there are."""
    for name, parameter in net.named_parameters():
        if parameter.dim() > 1:
            last = name.endswith(("attention.output.weight", "feed.2.weight"))
            nn.init.normal_(parameter, std=SPREAD / math.sqrt(2 * layers) if last else SPREAD)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def _angles(length: int, width: int, x: Tensor) -> Tensor:
    """The angle of each of width / 2 waves at each place: float32 [T, width / 2], where `x` lies."""
    speeds = torch.arange(0, width, 2, device=x.device, dtype=torch.float32) / width
    places = torch.arange(length, device=x.device, dtype=torch.float32)
    return places[:, None] * _SLOWEST**-speeds


def _turned(x: Tensor, sines: Tensor, cosines: Tensor) -> Tensor:
    """[N, heads, T, width / heads] with each pair of a first and a second half turned by its angle."""
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosines - second * sines, first * sines + second * cosines], -1)
