"""Nets of the user's own in a study: functions that build one, each under a name that tables and folders can hold."""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from torch import nn

from danlu.base.errors import DanluError, Faults, fail
from danlu.base.memory import is_out_of_memory
from danlu.base.seeds import global_seed


class Builder:
    """A function that builds a net, or the net's class, by its name.

    >>> Builder("small", lambda: nn.Linear(4, 3)).net(seed=0)
    Linear(in_features=4, out_features=3, bias=True)
    """

    def __init__(self, name: str, build: Callable[[], Any]) -> None:
        self.__name__ = name
        self._build = build

    def __call__(self) -> Any:
        """The net, drawn from whatever generator is in force."""
        return self._build()

    def net(self, seed: int) -> nn.Module:
        """The net with the first weights of `seed`. UserError where the function gives none."""
        with global_seed(seed, "initial-weights"):
            try:
                net = cast(object, self._build())
            except DanluError:
                raise
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                fail("study.net-not-built", name=self.__name__, kind=type(error).__name__, reason=error)
        if not isinstance(net, nn.Module):
            fail("study.no-net-built", name=self.__name__, found=type(net).__name__)
        return net


def builder_of(build: Any, name: str = "", taken: Collection[str] = ()) -> Builder:
    """A function with the name given, with its own, or with that of the net's class where it has none, as a lambda;
    such a name is numbered where it is `taken`. UserError for a net that is built already: every seed needs weights of
    its own.

    >>> builder_of(lambda: nn.Linear(4, 3)).__name__, builder_of(nn.Flatten).__name__
    ('Linear', 'Flatten')
    """
    if isinstance(build, nn.Module):
        fail("study.net-is-one", kind=type(build).__name__)
    if isinstance(build, Builder):
        return build
    own = str(getattr(build, "__name__", ""))
    if name or own.isidentifier():
        return Builder(name or own, build)
    kind = type(Builder("lambda", build).net(0)).__name__
    names = (kind if count == 1 else f"{kind}-{count}" for count in itertools.count(1))
    return Builder(next(one for one in names if one not in taken), build)


def net_levels(given: Mapping[str, Any] | Sequence[Any]) -> list[Any]:
    """The levels of the factor "net": names of danlu's nets as they are, functions as builders; `given` is a list of
    both, or a dict of functions by the names they are to have. UserError with all that is wrong.

    >>> levels = net_levels(["mlp", lambda: nn.Linear(4, 3), lambda: nn.Linear(4, 3)])
    >>> [level if isinstance(level, str) else level.__name__ for level in levels]
    ['mlp', 'Linear', 'Linear-2']
    """
    pairs = list(given.items()) if isinstance(given, Mapping) else [("", level) for level in given]
    faults = Faults()
    levels: list[Any] = []
    for name, level in pairs:
        taken = [str(getattr(one, "__name__", one)) for one in levels]
        with faults.gathered():
            if not callable(level) and name not in ("", level):
                fail("study.named-level-no-function", name=name, found=level)
            levels.append(builder_of(level, str(name), taken) if callable(level) else level)
    faults.raise_if_any()
    return levels
