"""Inputs whose places stand in another order: of a sequence, or the patches of a picture."""

from collections.abc import Iterator

import torch
from torch import nn

from danlu.watch.probes.sequences import Padding, Relation, is_one_hot

_FEWEST = 4  # places that change places
_ALIKE = 0.3  # correlation of neighbours from which on numbers are a sequence
_SIDES = (2, 4, 8, 7, 14, 16, 3, 5, 6)  # of patches, in pixels


def other_orders(
    inputs: torch.Tensor, relation: Relation | None, padding: Padding | None, modules: list[nn.Module]
) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    """The inputs with their places in another order, and that order [T], None for pictures.

    The first and the last place stay, which may be a token of their own, and so does padding. Nothing where the inputs
    need not be a sequence.

    >>> x = torch.arange(12).reshape(2, 6)
    >>> next(other_orders(x, None, None, []))[0][0].tolist()
    [0, 4, 3, 2, 1, 5]
    """
    if inputs.dim() == 4:
        for side in _sides(inputs, modules):
            yield _patches_turned(inputs, side), None
        return
    tokens = inputs.dim() == 2 and not inputs.dtype.is_floating_point
    if not (tokens or (inputs.dim() == 3 and (relation is not None or is_one_hot(inputs) or _goes_on(inputs)))):
        return
    places = inputs.shape[1]
    inner = int(padding.lengths.min()) if padding is not None else places
    if inner - 2 < _FEWEST or (relation is not None and relation.time != 1):
        return
    order = torch.arange(places, device=inputs.device)
    order[1 : inner - 1] = order[1 : inner - 1].flip(0)
    yield inputs[:, order], order


def _sides(inputs: torch.Tensor, modules: list[nn.Module]) -> list[int]:
    """The sides of patches into which a net may cut these pictures: that of its first layer, else all that fit."""
    height, width = inputs.shape[2:]
    cut = [one.kernel_size[0] for one in modules if isinstance(one, nn.Conv2d) and one.kernel_size == one.stride
           and one.in_channels == inputs.shape[1] and one.kernel_size[0] > 1]  # fmt: skip
    fitting = [one for one in cut or _SIDES if height % one == 0 and width % one == 0]
    return [one for one in fitting if (height // one) * (width // one) >= _FEWEST]


def _patches_turned(inputs: torch.Tensor, side: int) -> torch.Tensor:
    samples, channels, height, width = inputs.shape
    rows, columns = height // side, width // side
    patches = inputs.reshape(samples, channels, rows, side, columns, side)
    return patches.flip(2, 4).reshape(inputs.shape)


def _goes_on(inputs: torch.Tensor) -> bool:
    """Whether numbers [N, T, F] are like their neighbours in time."""
    if not inputs.dtype.is_floating_point or inputs.shape[1] < _FEWEST:
        return False
    centred = inputs.float() - inputs.float().mean((0, 1))
    size = float(centred.square().mean())
    return size > 0 and float((centred[:, 1:] * centred[:, :-1]).mean()) / size > _ALIKE
