"""The numbers of findings, the same beside their marks in a chart, on a page and in a report."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from danlu.base.records import SEVERITIES, Finding

Found = TypeVar("Found")


def numbered(found: Iterable[Found], since: Callable[[Found], int]) -> list[tuple[int, Found]]:
    """The findings in the order of the steps from which on they hold, numbered from 1.

    >>> numbered([("b", 9), ("a", 3)], lambda one: one[1])
    [(1, ('a', 3)), (2, ('b', 9))]
    """
    return list(enumerate(sorted(found, key=since), 1))


def gravest_first(findings: Iterable[Finding]) -> list[tuple[int, Finding]]:
    """The findings with their numbers, in the order in which they are read: errors, warnings, advice.

    >>> found = [Finding("a", "advice", (), 1, {}, "", ""), Finding("b", "error", (), 9, {}, "", "")]
    >>> [(number, one.rule) for number, one in gravest_first(found)]
    [(2, 'b'), (1, 'a')]
    """
    return sorted(numbered(findings, lambda one: one.since), key=lambda one: (_gravity(one[1]), one[0]))


def _gravity(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
