"""Which models hold the parameters of an optimizer: found among the objects that are alive."""

import gc
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from torch import Tensor, nn

from danlu.watch.frames import names_of
from danlu.watch.probes.optimisers import parameters_of


class Tensors(nn.Module):
    """Holds tensors that an optimizer moves and no module of the user's has. It is never called."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, one in tensors.items():
            self._parameters[name] = cast(nn.Parameter, one)  # nothing of them is changed, not even their class


def tensors_of(optimizers: Iterable[Any], models: Iterable[nn.Module]) -> list[nn.Module]:
    """The tensors of these optimizers that none of the models holds, in a module for all of them, by the names that the
    user's code has for them; nothing where there is none.

    >>> import torch
    >>> weight = torch.ones(3, requires_grad=True)
    >>> tensors = tensors_of([torch.optim.SGD([weight], lr=0.1)], [])[0]
    >>> next(tensors.parameters()) is weight
    True
    """
    held = {id(one) for model in models for one in model.parameters()}
    moved = {id(one): one for optimizer in optimizers for one in parameters_of(optimizer)}
    loose = [one for key, one in moved.items() if key not in held]
    names, found = names_of(loose), dict[str, Tensor]()
    for number, one in enumerate(loose):
        name = names.get(id(one), f"tensor{number}")
        found[name if name not in found else f"{name}{number}"] = one
    return [Tensors(found)] if found else []


def models_of(optimizers: Iterable[Any], called: nn.Module | None) -> list[nn.Module]:
    """The fewest outermost modules that hold all these optimizers' parameters which a module holds; among several that
    hold the same ones the one that contains `called` is taken.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    >>> models_of([torch.optim.SGD(net[1].parameters(), lr=0.1)], net[0])[0] is net
    True
    """
    wanted = {id(one) for optimizer in optimizers for one in parameters_of(optimizer)}
    alive = {id(one): one for one in gc.get_objects() if issubclass(type(one), nn.Module)}
    parents: defaultdict[int, set[int]] = defaultdict(set)
    for key, module in alive.items():
        for inner in _inside(module, "_modules"):
            parents[id(inner)].add(key)
    holders = {key for key, one in alive.items() if any(id(held) in wanted for held in _inside(one, "_parameters"))}
    tops = [alive[key] for key in _tops(holders, parents)]
    held = {id(top): wanted & {id(one) for one in top.parameters()} for top in tops}
    within = {id(top) for top in tops if any(one is called for one in top.modules())}
    sizes = {id(top): sum(1 for _ in top.modules()) for top in tops}
    chosen: list[nn.Module] = []
    left = set(wanted)
    for top in sorted(tops, key=lambda one: (id(one) not in within, -len(held[id(one)]), sizes[id(one)])):
        if held[id(top)] & left:
            chosen.append(top)
            left -= held[id(top)]
    return chosen


def named(models: Sequence[nn.Module]) -> dict[str, nn.Module]:
    """Models by the names that the user's code has for them; one alone needs none."""
    if len(models) == 1:
        return {"": models[0]}
    names, found = names_of(models), dict[str, nn.Module]()
    for number, model in enumerate(models):
        name = names.get(id(model), f"{type(model).__name__.lower()}{number}")
        found[name if name not in found else f"{name}{number}"] = model
    return found


def _inside(module: nn.Module, what: str) -> list[Any]:
    """The modules or the parameters that stand directly in a module; none in one that is only half made."""
    try:
        return [one for one in getattr(module, what).values() if one is not None]
    except Exception:  # noqa: BLE001 - anybody's class
        return []


def _tops(holders: Iterable[int], parents: dict[int, set[int]]) -> list[int]:
    """From modules up to those that stand in no other."""
    tops: dict[int, None] = {}
    waiting, seen = list(holders), set[int]()
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        above = parents.get(key)
        if above:
            waiting += above
        else:
            tops[key] = None
    return list(tops)
