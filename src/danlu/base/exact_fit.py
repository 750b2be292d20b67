"""Sections of a recipe made at once where every value fits as it stands, which is nearly always.

The validator, pydantic, takes as long to import as all else that a command needs which trains nothing. It is asked only
where a value is to be converted or refused; a test holds the two against each other.
"""

import functools
import math
import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

_EXACT_INT = 2**53  # up to here a whole number is a float as well


class _UnfitError(Exception):
    """A value that the validator has to look at."""


def fitted(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """The dataclass `kind` made of `values`; None where the validator has to be asked.

    >>> from danlu.base.recipe import OptimRecipe
    >>> fitted(OptimRecipe, {"lr": 1}).lr, fitted(OptimRecipe, {"lr": "1"}), fitted(OptimRecipe, {"rl": 1})
    (1.0, None, None)
    """
    kinds = _kinds(kind)
    try:
        return kind(**{key: _fit(kinds[key], value) for key, value in values.items()})
    except (_UnfitError, KeyError):
        return None


@functools.cache
def _kinds(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {key.name: hints[key.name] for key in fields(kind)}


def _fit(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Annotated:
        return _bounded(_fit(arguments[0], value), arguments[1:])
    if origin is Literal:
        return value if isinstance(value, str) and value in arguments else _unfit()
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value)
    if origin is tuple and isinstance(value, list | tuple):
        return _tuple(arguments, cast(list[Any], value))
    if origin is Mapping and type(value) is dict:
        return {_fit(arguments[0], key): _fit(arguments[1], one) for key, one in cast(dict[Any, Any], value).items()}
    if kind is float and type(value) is int and abs(value) < _EXACT_INT:
        return float(value)
    if isinstance(kind, type) and type(value) is kind and not (kind is float and not math.isfinite(value)):
        return value
    return _unfit()


def _unfit() -> Any:
    raise _UnfitError


def _bounded(value: Any, bounds: tuple[Any, ...]) -> Any:
    for bound in bounds:
        kept = (
            (isinstance(bound, Ge) and value >= bound.ge)
            or (isinstance(bound, Gt) and value > bound.gt)
            or (isinstance(bound, Le) and value <= bound.le)
            or (isinstance(bound, Lt) and value < bound.lt)
        )
        if not kept:
            raise _UnfitError
    return value


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return _fit(kind, value)
        except _UnfitError:
            continue
    raise _UnfitError


def _tuple(kinds: tuple[Any, ...], values: list[Any]) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        return tuple(_fit(kinds[0], value) for value in values)
    if len(values) != len(kinds):
        raise _UnfitError
    return tuple(_fit(kind, value) for kind, value in zip(kinds, values, strict=True))
