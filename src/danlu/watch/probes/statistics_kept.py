"""Whether a net keeps averaging statistics of its batches, and so learns from what it is only to be scored on."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.tracing import unreadable

_MOST_NUMBERS = 4_096
_PARALLEL = 0.999  # cosine of two changes
_SLOWER = (0.2, 0.9999)  # the second change over the first: a share of the way that is left each time

Held = dict[tuple[str, str], torch.Tensor]


def averages(module: nn.Module, answer: Callable[[], object]) -> tuple[tuple[str, str], ...]:
    """The statistics that a module updates where `answer` asks it about the same batch again, by path and name."""
    first = _held(module)
    if not first:
        return ()
    answer()
    second = _held(module)
    answer()
    return tuple(averaged(first, second, _held(module)))


def _held(module: nn.Module) -> Held:
    """Small tensors that the modules hold beside their parameters, by path and name: copies of them."""
    found: Held = {}
    for path, one in module.named_modules():
        held: Mapping[str, Any] = {**vars(one), **dict(one.named_buffers(recurse=False))}
        for name, value in held.items():
            plain = isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter)
            if plain and value.dtype.is_floating_point and not unreadable(value) and 0 < value.numel() <= _MOST_NUMBERS:
                found[path, name] = value.detach().clone()
    return found


def averaged(first: Held, second: Held, third: Held) -> list[tuple[str, str]]:
    """Those that went towards one place over two answers to the same batch, by a share of the way left each time.

    >>> steps = [{("", "mean"): torch.tensor([1.0, 2.0]) * share} for share in (0.0, 0.1, 0.19)]
    >>> averaged(*steps), averaged(steps[0], steps[1], steps[1])
    ([('', 'mean')], [])
    """
    return [
        place for place in first
        if place in second and place in third
        and first[place].shape == second[place].shape == third[place].shape
        and _goes_on(second[place] - first[place], third[place] - second[place])
    ]  # fmt: skip


def _goes_on(before: torch.Tensor, now: torch.Tensor) -> bool:
    one, other = (float(torch.linalg.vector_norm(change.double())) for change in (before, now))
    if not (one > 0 and _SLOWER[0] < other / one < _SLOWER[1]):
        return False
    return float((before.double() * now.double()).sum()) > _PARALLEL * one * other
