"""Points in a plane, drawn and not collected: the classic shapes on which one sees what a net can do."""

import math
from collections.abc import Callable

import numpy
import torch
from torch import Tensor

from danlu.base.seeds import stream
from danlu.data.table.columns import Column
from danlu.data.table.load import KnownTable

NOISE = 0.1
"""The standard deviation of the noise where none is named."""
_POINTS = 600
_TURNS = 1.75
_GAP = 0.05  # between the squares of xor, so that they can be told apart


def draw_shape(name: str, noise: float = NOISE) -> KnownTable:
    """600 points (x, y), half of them of the class A and half of B, with normal noise on both coordinates.

    Whatever the noise, the points beneath it are the same, and each is moved in the same direction.
    """
    drawn = stream(0, "shape", name)
    half = torch.arange(_POINTS) % 2  # 0: A, 1: B
    points = _SHAPES[name](half, torch.rand(_POINTS, 2, generator=drawn, dtype=torch.float64))
    points = points + noise * torch.randn(_POINTS, 2, generator=drawn, dtype=torch.float64)
    columns = {axis: Column("number", points[:, place].numpy()) for place, axis in enumerate("xy")}
    classes = numpy.array(["AB"[one] for one in half.tolist()], dtype=object)
    return KnownTable(columns | {"class": Column("text", classes)}, "class")


def _moons(half: Tensor, random: Tensor) -> Tensor:
    angle = math.pi * random[:, 0]
    upper = torch.stack([angle.cos(), angle.sin()], 1)
    return torch.where(half[:, None] == 0, upper, torch.tensor([1.0, 0.5]) - upper)


def _circles(half: Tensor, random: Tensor) -> Tensor:
    return _polar(torch.where(half == 0, 0.5, 1.0), 2 * math.pi * random[:, 0])


def _spiral(half: Tensor, random: Tensor) -> Tensor:
    way = random[:, 0].sqrt()  # as many points on each stretch of the arm, which grows longer outwards
    return _polar(0.1 + 1.9 * way, 2 * math.pi * _TURNS * way + math.pi * half)


def _xor(half: Tensor, random: Tensor) -> Tensor:
    right = torch.where(random[:, 0] < 0.5, -1.0, 1.0)
    up = torch.where(half == 0, right, -right)
    apart = torch.stack([2 * random[:, 0] % 1, random[:, 1]], 1)
    return (_GAP + (1 - _GAP) * apart) * torch.stack([right, up], 1)


def _gaussians(half: Tensor, random: Tensor) -> Tensor:
    # Two uniform numbers as two normal ones (Box and Muller 1958).
    far = 0.4 * (-2 * (1 - random[:, 0]).log()).sqrt()
    return _polar(far, 2 * math.pi * random[:, 1]) + torch.where(half == 0, -0.7, 0.7)[:, None]


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)


_SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "moons": _moons,
    "circles": _circles,
    "spiral": _spiral,
    "xor": _xor,
    "gaussians": _gaussians,
}
