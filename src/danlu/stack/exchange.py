"""A copy of a net with some of its layers exchanged; what is not exchanged keeps its own code and options."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, cast

from torch import nn

from danlu.stack.masks import Rates

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)

Modules = Sequence[nn.Module]
Exchange = Callable[[Modules], nn.Module | None]


def exchanged(nets: Modules, exchange: Exchange) -> nn.Module:
    """A copy of the first of `nets`, in which each module that `exchange` has something for is replaced by that.

    `exchange` gets the modules that stand at one place in all nets; None leaves a module as it is and goes on below it.
    The copy shares the weights of what is left.
    """
    done: dict[int, nn.Module] = {}

    def at(modules: Modules) -> nn.Module:
        first = modules[0]
        if id(first) not in done:
            done[id(first)] = exchange(modules) or below(modules)
        return done[id(first)]

    def below(modules: Modules) -> nn.Module:
        new = copy.copy(modules[0])
        for registry in ("_parameters", "_buffers"):
            vars(new)[registry] = dict(vars(modules[0])[registry])
        children = [vars(module)["_modules"] for module in modules]
        vars(new)["_modules"] = {
            name: None if child is None else at([others[name] for others in children])
            for name, child in children[0].items()
        }
        return new

    return at(nets)


def rates_of(dropouts: Sequence[Modules], member: int) -> Rates:
    """The rates of one member at all places that drop."""
    return tuple(float(cast(Any, layers[member]).p) for layers in dropouts)
