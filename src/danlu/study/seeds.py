"""The seeds of a study."""

from collections.abc import Sequence
from typing import cast

from danlu.base.counts import as_found, is_whole
from danlu.base.errors import fail
from danlu.stats.members import MOST_SEEDS

_HIGHEST = 2**63 - 1


def seeds_of(seeds: int | Sequence[int]) -> list[int]:
    """Seed numbers: as given, or the first so many.

    >>> seeds_of(3)
    [0, 1, 2]
    """
    listed = isinstance(cast(object, seeds), list | tuple | range)
    count = cast(int, seeds) if is_whole(seeds) else len(cast(Sequence[int], seeds)) if listed else 0
    if count > MOST_SEEDS:
        fail("study.too-many-seeds", found=as_found(count), most=MOST_SEEDS)
    if is_whole(seeds):
        return list(range(cast(int, seeds)))
    given = list(cast(Sequence[int], seeds)) if count else []
    if not given or not all(is_whole(seed) and 0 <= seed <= _HIGHEST for seed in given):
        fail("study.not-seeds", found=as_found(seeds))
    return [*dict.fromkeys(map(int, given))]
