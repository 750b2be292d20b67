"""The two axes of a landscape: two weights themselves, or two directions through a point."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from danlu.base.errors import fail, nearest
from danlu.base.seeds import stream

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Axes:
    """Weights at (x, y) are `origin` + x · `first` + y · `second`, name by name; what the two do not name stays.

    `exact`: the axes are two weights themselves, and the point (x, y) is where these have the values x and y.
    """

    origin: dict[str, Tensor]
    first: dict[str, Tensor]
    second: dict[str, Tensor]
    labels: tuple[str, str]
    exact: bool = False

    def project(self, weights: Weights) -> tuple[float, float]:
        """The point of the plane that is nearest to `weights`."""
        offset = _flat({name: weights[name].double() - tensor for name, tensor in self.origin.items()}, self.origin)
        axes = torch.stack([_flat(axis, self.origin) for axis in (self.first, self.second)], 1)
        x, y = torch.linalg.lstsq(axes, offset[:, None], driver="gelsd").solution[:, 0].tolist()
        return x, y


def weight_axes(net: nn.Module, names: Sequence[str]) -> Axes:
    """Two weights, named as in "linear.weight[0, 2]" or, where a parameter is a single number, "linear.bias".

    >>> weight_axes(nn.Linear(1, 1), ("weight", "bias")).labels
    ('weight', 'bias')
    """
    origin = _trained(net)
    axes: list[dict[str, Tensor]] = []
    for name in names:
        parameter, place = _place(origin, name)
        axis = {key: torch.zeros_like(tensor) for key, tensor in origin.items()}
        axis[parameter][place] = 1.0
        axes.append(axis)
        origin[parameter][place] = 0.0
    first, second = axes
    if all(torch.equal(first[key], second[key]) for key in origin):
        fail("landscape.one-weight-twice", name=names[0])
    return Axes(origin, first, second, (names[0], names[1]), exact=True)


def single_weights(net: nn.Module) -> tuple[str, str] | None:
    """The names of a net's weights where it has just two numbers to train, else None.

    >>> single_weights(nn.Linear(1, 1)), single_weights(nn.Linear(2, 1))
    (('weight', 'bias'), None)
    """
    trained = [(name, parameter) for name, parameter in net.named_parameters() if parameter.requires_grad]
    if sum(parameter.numel() for _, parameter in trained) != 2:
        return None
    if len(trained) == 2:
        return trained[0][0], trained[1][0]
    (name, parameter), *_ = trained
    places = [f"{name}[{', '.join(map(str, place))}]" for place in torch.ones_like(parameter).nonzero().tolist()]
    return places[0], places[1]


def filter_axes(net: nn.Module, seed: int) -> Axes:
    """Two random directions, each filter (row of a matrix) of a direction as long as the net's own.

    Biases and scales of normalisations, parameters of one axis, stay as they are (Li et al. 2018, section 4,
    https://arxiv.org/abs/1712.09913).

    >>> axes = filter_axes(nn.Linear(3, 2), seed=0)
    >>> round(float(axes.first["weight"][1].norm() / axes.origin["weight"][1].norm()), 6)
    1.0
    """
    origin = _trained(net)
    axes = [
        {name: _as_long(_drawn(tensor, seed, name, axis), tensor) for name, tensor in origin.items()} for axis in (0, 1)
    ]
    return Axes(origin, axes[0], axes[1], ("α", "β"))


def path_axes(net: nn.Module, path: Sequence[Weights]) -> Axes:
    """The two directions in which the path of a training is longest: principal components of its points' differences
    from the net's own weights. They are of length 1, so that distances are distances between weights."""
    origin = _trained(net)
    if len(path) < 3:
        fail("landscape.path-too-short", points=len(path))
    offsets = torch.stack(
        [_flat({name: point[name].double() - tensor for name, tensor in origin.items()}, origin) for point in path]
    )
    _, sizes, directions = torch.linalg.svd(offsets, full_matrices=False)
    if len(sizes) < 2 or float(sizes[1]) <= 1e-9 * float(sizes[0]):
        fail("landscape.path-too-short", points=len(path))
    shares = sizes.square() / sizes.square().sum()
    labels = [f"PC {number + 1} ({share:.0%})" for number, share in enumerate(shares[:2].tolist())]
    first, second = (_named(direction, origin) for direction in directions[:2])
    return Axes(origin, first, second, (labels[0], labels[1]))


def _trained(net: nn.Module) -> dict[str, Tensor]:
    return {name: entry.detach().double().clone() for name, entry in net.named_parameters() if entry.requires_grad}


def _place(origin: Weights, name: str) -> tuple[str, tuple[int, ...]]:
    """The parameter that a name means, and the place of the number in it."""
    match = re.fullmatch(r"(.*?)(?:\[([\d\s,]+)\])?", name)
    parameter, inside = (match.group(1), match.group(2)) if match else (name, None)
    if parameter not in origin:
        fail("landscape.no-such-weight", name=name, names=", ".join(origin), hint=nearest(parameter, origin))
    shape = tuple(origin[parameter].shape)
    place = tuple(int(number) for number in inside.split(",") if number.strip()) if inside else (0,) * len(shape)
    fits = len(place) == len(shape) and all(at < size for at, size in zip(place, shape, strict=True))
    if not fits or (inside is None and math.prod(shape) != 1):
        fail("landscape.no-such-place", name=name, parameter=parameter, shape="×".join(map(str, shape)) or "1")
    return parameter, place


def _drawn(like: Tensor, seed: int, name: str, axis: int) -> Tensor:
    return torch.randn(like.shape, generator=stream(seed, "landscape", name, axis), dtype=like.dtype)


def _as_long(direction: Tensor, weight: Tensor) -> Tensor:
    if weight.dim() < 2:
        return torch.zeros_like(direction)
    own, wanted = direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1)
    return direction * (wanted / own.clamp(min=1e-30)).view(-1, *[1] * (weight.dim() - 1))


def _flat(weights: Weights, like: Weights) -> Tensor:
    return torch.cat([weights[name].flatten() for name in like])


def _named(flat: Tensor, like: Weights) -> dict[str, Tensor]:
    parts = flat.split([tensor.numel() for tensor in like.values()])
    return {name: part.view(tensor.shape) for (name, tensor), part in zip(like.items(), parts, strict=True)}
