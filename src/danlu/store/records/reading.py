"""From JSON to the fields of a dataclass, strictly: what is not of the annotated type is refused, never bent."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Any, Union, cast

from danlu.base.strict_json import number

_LARGEST = 2**53  # what a float holds exactly

SPARSE = {"sparse": True}
"""Metadata of a field that is written only where it holds something else than its default."""

Reader = Callable[[Any], Any]


class MalformedRecordError(ValueError):
    """A line of a journal that is not what its kind must be. Readers pass over such a line, and count it."""


@functools.cache
def reader_of(annotation: Any) -> Reader:
    """What reads a JSON value as `annotation`, which is made of: int (a whole number, 0 … 2⁵³), float (also "NaN",
    "Infinity"), str, bool, Any, dataclasses, tuple[X, …] of one or several types, Sequence[X], Mapping[str, X], unions.

    The reader raises MalformedRecordError for a value of another type.

    >>> reader_of(float | None)("NaN"), reader_of(tuple[int, ...])([1, 2])
    (nan, (1, 2))
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, Union):
        return _first_of([reader_of(one) for one in arguments])
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _row([reader_of(one) for one in arguments])
    if origin is tuple:
        entries = _list(arguments[0])
        return lambda value: tuple(entries(value))
    if origin in (Sequence, list):
        return _list(arguments[0])
    if origin in (Mapping, dict):
        return _mapping(reader_of(arguments[1]))
    if dataclasses.is_dataclass(annotation):
        return functools.partial(read_fields, cast(type[Any], annotation))
    return _SIMPLE[annotation]


def read_fields(kind: type[Any], value: Any) -> Any:
    """The dataclass `kind` from an object with its fields as keys. Null stands for a default; other keys, which a newer
    danlu may write, are passed over."""
    entry = _mapping(_anything)(value)
    found: dict[str, Any] = {}
    for name, needed, read in _fields_of(kind):
        given = entry.get(name)
        if given is not None:
            found[name] = read(given)
        elif needed:
            raise MalformedRecordError(f"{name} is missing")
    return kind(**found)


def written(value: Any) -> Any:
    """The value as JSON takes it: dataclasses as objects."""
    if dataclasses.is_dataclass(value):
        return written_fields(value)
    if isinstance(value, list | tuple):
        entries = cast(Sequence[Any], value)
        return [written(one) for one in entries] if entries and dataclasses.is_dataclass(entries[0]) else value
    return value


def written_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, but for the sparse ones that hold their default."""
    return {
        field.name: written(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if not (field.metadata.get("sparse") and getattr(value, field.name) == field.default)
    }


@functools.cache
def _fields_of(kind: type[Any]) -> list[tuple[str, bool, Reader]]:
    """Name, whether it must be there, and reader of each field."""
    types_of = typing.get_type_hints(kind)
    missing = dataclasses.MISSING
    return [
        (one.name, one.default is missing and one.default_factory is missing, reader_of(types_of[one.name]))
        for one in dataclasses.fields(kind)
    ]


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise MalformedRecordError(f"{value!r:.40} is no whole number from 0 on")
    return value


def _number(value: Any) -> float:
    try:
        return number(value)
    except (TypeError, ValueError) as error:
        raise MalformedRecordError(f"{value!r:.40} is no number") from error


def _of_type(kind: type[Any]) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise MalformedRecordError(f"{value!r:.40} is no {kind.__name__}")
        return value

    return read


def _anything(value: Any) -> Any:
    return value


def _list(entry: Any) -> Reader:
    read, exact = reader_of(entry), _EXACT.get(entry)

    def entries(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise MalformedRecordError(f"{value!r:.40} is no list")
        found = cast(Sequence[Any], value)
        # A block of a thousand losses is seen at a glance.
        return found if exact and exact.issuperset(map(type, found)) else [read(one) for one in found]

    return entries


def _row(reads: Sequence[Reader]) -> Reader:
    def entries(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(cast(Sequence[Any], value)) != len(reads):
            raise MalformedRecordError(f"{value!r:.40} is no list of {len(reads)}")
        return tuple(read(one) for read, one in zip(reads, cast(Sequence[Any], value), strict=True))

    return entries


def _mapping(read: Reader) -> Reader:
    def entries(value: Any) -> Any:
        if not isinstance(value, dict):
            raise MalformedRecordError(f"{value!r:.40} is no object")
        found = cast(dict[str, Any], value)
        return found if read is _anything else {key: read(entry) for key, entry in found.items()}

    return entries


def _first_of(reads: Sequence[Reader]) -> Reader:
    def either(value: Any) -> Any:
        for read in reads:
            try:
                return read(value)
            except MalformedRecordError:
                continue
        raise MalformedRecordError(f"{value!r:.40} is none of what may stand there")

    return either


_SIMPLE: dict[Any, Reader] = {
    Any: _anything,
    int: _count,
    float: _number,
    str: _of_type(str),
    bool: _of_type(bool),
    NoneType: _of_type(NoneType),
}
_EXACT: dict[Any, frozenset[type[Any]]] = {
    float: frozenset({float}),
    float | None: frozenset({float, NoneType}),
    str: frozenset({str}),
}
"""Types of entries that stand for themselves."""
