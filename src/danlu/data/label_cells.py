"""Cells of a table that hold several labels, or say of one whether it is there; without torch."""

from collections.abc import Sequence
from typing import Any

import numpy

SEPARATORS = (";", "|", "；", "、")
# The words that stand for on and off, the one that is on first.
SWITCHES = (("1", "0"), ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("是", "否"), ("有", "无"))


def separator_of(cells: Sequence[str]) -> str | None:
    """What separates the labels in cells such as "a;b"; None where they are not seen to hold several.

    Most of what stands on either side of a separator must occur in other cells too: "a;b" beside "a" and "b;c" are
    labels, while "Smith; Jones" is a name of its own wherever it stands.

    >>> separator_of(["a;b", "a", "b"]), separator_of(["x; 1", "y; 2", "x; 1"]), separator_of(["a", "b"])
    (';', None, None)
    """
    distinct = set(cells)
    for separator in SEPARATORS:
        several = {cell for cell in distinct if len(labels_in(cell, separator)) > 1}
        homes: dict[str, int] = {}
        for cell in distinct:
            for label in labels_in(cell, separator):
                homes[label] = homes.get(label, 0) + 1
        parts = {label for cell in several for label in labels_in(cell, separator)}
        if several and 2 * sum(homes[label] > 1 for label in parts) > len(parts):
            return separator
    return None


def labels_in(cell: str, separator: str) -> list[str]:
    """The labels in a cell, each once; a separator alone stands for none.

    >>> labels_in("a; b;a", ";"), labels_in(";", ";")
    (['a', 'b'], [])
    """
    return [*dict.fromkeys(label for part in cell.split(separator) if (label := part.strip()))]


def switched(values: Sequence[Any]) -> "numpy.ndarray[Any, Any] | None":
    """Values that all say on or off in one pair of words (1 and 0, true and false, yes and no …) as float64 [N]; None
    where they do not.

    >>> switched(["yes", "No", "yes"]).tolist(), switched(["yes", "0"])
    ([1.0, 0.0, 1.0], None)
    """
    words = [_word(value) for value in values]
    for pair in SWITCHES:
        if set(words) <= set(pair):
            return numpy.array([float(word == pair[0]) for word in words])
    return None


def _word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()
