"""The numbers of findings, the same beside their marks in a chart, on a page and in a report."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Found = TypeVar("Found")


def numbered(found: Iterable[Found], since: Callable[[Found], int]) -> list[tuple[int, Found]]:
    """The findings in the order of the steps from which on they hold, numbered from 1.

    >>> numbered([("b", 9), ("a", 3)], lambda one: one[1])
    [(1, ('a', 3)), (2, ('b', 9))]
    """
    return list(enumerate(sorted(found, key=since), 1))
