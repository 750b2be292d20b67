"""Values that stand in a document several times, in the charts of both languages, and are written once."""

from collections.abc import Mapping
from typing import Any, cast

_LONG_ROW = 8  # numbers: a place takes as many signs as two of them
_LONG_TEXT = 100  # signs: a picture, not a word


class SharedValues:
    """Rows of numbers and long texts, each once; a place in `values` is written as {"$": place}.

    >>> shared = SharedValues()
    >>> row = list(range(8))
    >>> shared.without({"xs": row, "ys": [1, 2]}), shared.without([row])
    ({'xs': {'$': 0}, 'ys': [1, 2]}, [{'$': 0}])
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
        if len(row) >= _LONG_ROW and all(one is None or type(one) in (int, float) for one in row):
            return self._placed(tuple(row), row)
        return [self.without(one) for one in row]

    def _placed(self, key: Any, value: Any) -> dict[str, int]:
        place = self._places.setdefault(key, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return {"$": place}
