"""Where in a net a change goes on to what it must not reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from danlu.watch.tracing import all_tensors, unreadable
from danlu.watch.trying import Copy, UntriedError

_MOST_NUMBERS = 2**25  # of what the modules are given and give, that is kept
_MOVED = 1e-3  # of the largest number
_Part = tuple[str, list[torch.Tensor], list[torch.Tensor]]  # a call of a module: its path, what it was given, and gave


def module_that_mixes(copy: Copy, others: Mapping[int, torch.Tensor], changed: torch.Tensor) -> str | None:
    """The path of the innermost module that is first to let a change in the places `changed` [N, T] of an input, whose
    new tensor is in `others`, reach what it gives at other places, where none had reached what it was given there.

    None where no module is to be seen that does, or too much would have to be kept.
    """
    before, after = _parts(copy, {}, ~changed), _parts(copy, others, ~changed)
    if len(before) != len(after):
        return None
    for (path, given, made), (other_path, others_given, others_made) in zip(before, after, strict=True):
        if path != other_path:
            return None
        if given and made and not _have_moved(given, others_given) and _have_moved(made, others_made):
            return path
    return None


def _parts(copy: Copy, others: Mapping[int, torch.Tensor], places: torch.Tensor) -> list[_Part]:
    parts: list[_Part] = []
    kept = 0

    def keep(path: str, given: Any, made: Any) -> None:
        nonlocal kept
        both = [_at(all_tensors(one), places) for one in (given, made)]
        kept += sum(one.numel() for part in both for one in part)
        if kept > _MOST_NUMBERS:
            raise UntriedError("size")
        parts.append((path, both[0], both[1]))

    try:
        copy.answer(others, keep)
    except UntriedError:
        return []
    return parts


def _at(tensors: Sequence[torch.Tensor], places: torch.Tensor) -> list[torch.Tensor]:
    """The numbers of [N, T, …] or [T, N, …] at places [N, T]; of [N, …] where whole samples are meant. Tensors of other
    shapes are left out."""
    samples = places.all(1)
    whole = torch.equal(samples, places.any(1))
    found: list[torch.Tensor] = []
    for one in tensors:
        if not one.dim() or unreadable(one):
            continue
        if whole and len(one) == len(samples):
            found.append(one.detach()[samples].clone())
        elif one.shape[:2] == places.shape:
            found.append(one.detach()[places].clone())
        elif one.shape[:2] == places.t().shape:
            found.append(one.detach()[places.t()].clone())
        elif one.dim() == 3 and (one.shape[0], one.shape[2]) == places.shape:  # channels come before the places
            found.append(one.detach().transpose(1, 2)[places].clone())
    return found


def _have_moved(before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> bool:
    if len(before) != len(after):
        return True
    for one, other in zip(before, after, strict=True):
        if one.shape != other.shape:
            return True
        if one.numel():
            apart = (one.double() - other.double()).abs().max()
            if float(apart) > _MOVED * max(float(one.double().abs().max()), 1e-12):
                return True
    return False
