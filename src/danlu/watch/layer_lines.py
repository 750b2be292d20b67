"""Which line of a piece of source makes a layer that no class calls by a name: in an nn.Sequential, a list, a loop."""

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import walk

# By the beginning of a class's name what its constructor is given first.
_SETTINGS = {
    "Linear": ("in_features", "out_features"), "Conv": ("in_channels", "out_channels", "kernel_size"),
    "RNN": ("input_size", "hidden_size"), "LSTM": ("input_size", "hidden_size"), "GRU": ("input_size", "hidden_size"),
    "Embedding": ("num_embeddings", "embedding_dim"), "Dropout": ("p",), "BatchNorm": ("num_features",),
}  # fmt: skip


def makes_layer(scope: ast.AST, layer: nn.Module, within: nn.Module | None = None) -> int | None:
    """The line whose call makes `layer`, by its class and the numbers that are written there; where several calls fit,
    by its place in an nn.Sequential with the layers of `within`. None where it could still be any of several.

    >>> source = "net = nn.Sequential(\\n nn.Linear(8, 16),\\n nn.ReLU(),\\n nn.Linear(16, n),\\n nn.ReLU())"
    >>> net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), nn.ReLU())
    >>> [makes_layer(ast.parse(source), layer, net) for layer in net]
    [2, 3, 4, 5]
    >>> makes_layer(ast.parse(source), net[1]), makes_layer(ast.parse(source), nn.Linear(8, 17))
    (None, None)
    """
    kind = type(layer).__name__
    calls = [one for one in walk(scope) if isinstance(one, ast.Call)]
    lines = {one.lineno for one in calls if name_of(one.func) == kind and _fits(one, layer)}
    if len(lines) > 1:
        rows = (one for one in calls if name_of(one.func) == "Sequential" and _is_row_of(one, within))
        lines = {one.args[place].lineno for one in rows for place in _places(within, layer)}
    return lines.pop() if len(lines) == 1 else None


def _fits(call: ast.Call, layer: nn.Module) -> bool:
    """Whether the numbers that stand in a call are those of the layer; what is a name there may be any number."""
    settings = next((names for kind, names in _SETTINGS.items() if type(layer).__name__.startswith(kind)), ())
    given: list[tuple[str, ast.AST]] = list(zip(settings, call.args, strict=False))
    given += [(one.arg, one.value) for one in call.keywords if one.arg is not None and one.arg in settings]
    return all(_may_be(value, getattr(layer, name, None)) for name, value in given)


def _may_be(value: ast.AST, number: Any) -> bool:
    number = number[0] if isinstance(number, tuple) and number else number
    written = value.value if isinstance(value, ast.Constant) else None
    return not isinstance(written, int | float) or not isinstance(number, int | float) or written == number


def _is_row_of(call: ast.Call, within: nn.Module | None) -> bool:
    """Whether the arguments of nn.Sequential(…) are the layers of a module, as far as that is to be seen."""
    layers = list(_children(within).values())
    if len(call.args) != len(layers) or any(isinstance(one, ast.Starred) for one in call.args):
        return False
    return all(_can_make(value, layer) for value, layer in zip(call.args, layers, strict=True))


def _can_make(value: ast.AST, layer: nn.Module) -> bool:
    made = name_of(value.func) if isinstance(value, ast.Call) else ""
    if not made[:1].isupper():
        return True  # a function or a variable may make any
    return made == type(layer).__name__ and isinstance(value, ast.Call) and _fits(value, layer)


def _places(within: nn.Module | None, layer: nn.Module) -> Iterable[int]:
    return (place for place, one in enumerate(_children(within).values()) if one is layer)


def _children(within: nn.Module | None) -> Mapping[str, nn.Module]:
    return dict(within.named_children()) if within is not None else {}
