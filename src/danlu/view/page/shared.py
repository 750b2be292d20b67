"""Values that stand in a document several times, in the charts of both languages, and are written once."""

from collections.abc import Mapping
from typing import Any, cast

_LONG_ROW = 8  # numbers: a place takes as many signs as two of them
_LONG_TEXT = 100  # signs: a picture, not a word


class SharedValues:
    """Rows and tables of numbers and long texts, each once; a place in `values` is written as {"$": place}.

    >>> shared = SharedValues()
    >>> row = list(range(8))
    >>> shared.without({"xs": row, "ys": [1, 2]}), shared.without(["a", row])
    ({'xs': {'$': 0}, 'ys': [1, 2]}, ['a', {'$': 0}])
    >>> shared.values
    [[0, 1, 2, 3, 4, 5, 6, 7]]
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[Any, int] = {}

    def without(self, value: Any) -> Any:
        """A value that JSON can hold, with places for its long parts."""
        if isinstance(value, Mapping):
            return {key: self.without(entry) for key, entry in cast(Mapping[str, Any], value).items()}
        if isinstance(value, str):
            return self._placed(value, value) if len(value) >= _LONG_TEXT else value
        if not isinstance(value, list):
            return value
        row = cast(list[Any], value)
        count, key = _numbers(row)
        if key is not None:
            return self._placed(key, row) if count >= _LONG_ROW else row
        return [self.without(one) for one in row]

    def _placed(self, key: Any, value: Any) -> dict[str, int]:
        place = self._places.setdefault(key, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return {"$": place}


def _numbers(row: list[Any]) -> tuple[int, tuple[Any, ...] | None]:
    """How many numbers a list holds, in lists within it too, and all of it as a key; None where it holds all else."""
    count, key = 0, list[Any]()
    for one in row:
        if one is None or type(one) in (int, float):
            count += 1
            key.append(one)
            continue
        inner = _numbers(cast(list[Any], one)) if isinstance(one, list) else (0, None)
        if inner[1] is None:
            return 0, None
        count += inner[0]
        key.append(inner[1])
    return count, tuple(key)
