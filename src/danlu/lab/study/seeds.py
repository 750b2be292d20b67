"""The seeds of a study."""

from collections.abc import Sequence
from typing import cast

from danlu.base.errors import fail


def seeds_of(seeds: int | Sequence[int]) -> list[int]:
    """Seed numbers: as given, or the first so many.

    >>> seeds_of(3)
    [0, 1, 2]
    """
    if is_number(seeds):
        return list(range(cast(int, seeds)))
    given = list(cast(Sequence[int], seeds)) if isinstance(cast(object, seeds), list | tuple | range) else []
    if not given or not all(is_number(seed) and seed >= 0 for seed in given):
        fail("study.not-seeds", found=seeds)
    return [*dict.fromkeys(given)]


def is_number(value: object) -> bool:
    """Whether a value is a whole number; True is none.

    >>> is_number(3), is_number(True), is_number(2.5)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool)
