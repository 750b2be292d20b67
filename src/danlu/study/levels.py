"""Levels of a factor: any value that a setting takes, several settings at once, or a function that builds a net."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from danlu.base.own_code import short_name

Level = Any


def shown(level: Level) -> str:
    """A level as a table names it.

    >>> shown(0.1), shown((64, 64)), shown(dict), shown({"optim.lr": 0.1, "train.epochs": 5})
    ('0.1', '64×64', 'dict', 'optim.lr=0.1, train.epochs=5')
    """
    if isinstance(level, Mapping):
        settings = cast(Mapping[str, Level], level)
        return ", ".join(f"{key}={shown(value)}" for key, value in settings.items()) or "–"
    if isinstance(level, list | tuple):
        return "×".join(shown(part) for part in cast(Sequence[Any], level))
    if callable(level):
        return str(getattr(level, "__name__", type(level).__name__))
    return f"{level:g}" if isinstance(level, float) else short_name(str(level))


def plain(value: Any) -> Any:
    """As JSON gives it back; a function by its name."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int | float | str) else shown(value)
