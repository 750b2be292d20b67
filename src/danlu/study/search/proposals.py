"""What to try next: points spread evenly at first, then where the best ones lie. The one door to Optuna."""

import contextlib
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from danlu.base.errors import fail
from danlu.base.seeds import derive, spread
from danlu.study.search.ranges import Range

Point = dict[str, float]

_TIMES = 2  # more points are asked for than are wanted, where some may have been tried


def proposed(ranges: Sequence[Range], ranked: Sequence[Mapping[str, float]], count: int, seed: int) -> list[Point]:
    """Up to `count` points to try as one round, each a value by setting; a pure function of what it is given.

    None was tried before, so that where few whole numbers make up the space the points come to an end. `ranked` are the
    points tried before, the best first. Without any, the points fill the space evenly; after that they come from a
    tree-structured Parzen estimator (Bergstra et al. 2011,
    https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization), which looks at their order alone.
    UserError where Optuna is not installed.

    >>> lr = Range("optim.lr", 1e-4, 1.0, log=True, whole=False)
    >>> sum(point["optim.lr"] < 1e-2 for point in proposed([lr], [], 8, seed=0))
    4
    """
    optuna = _optuna()
    if not ranked:
        rows = spread(count, len(ranges), seed, "search").tolist()
        return _new(({one.key: one.at(share) for one, share in zip(ranges, row, strict=True)} for row in rows), [])
    kinds = {one.key: _distribution(optuna, one) for one in ranges}
    key = derive(seed, "search", len(ranked)) & 0xFFFFFFFF
    with _quiet(optuna):
        sampler = optuna.samplers.TPESampler(seed=key, n_startup_trials=0, multivariate=True, constant_liar=True)
        study = optuna.create_study(sampler=sampler)
        for rank, point in enumerate(ranked):
            values = {one.key: one.rounded(point[one.key]) for one in ranges}
            study.add_trial(optuna.trial.create_trial(params=values, distributions=kinds, value=float(rank)))
        asked = [study.ask(kinds).params for _ in range(_TIMES * count)]
    rounded = ({one.key: one.rounded(point[one.key]) for one in ranges} for point in asked)
    return _new(rounded, ranked)[:count]


def _new(points: Iterable[Point], before: Sequence[Mapping[str, float]]) -> list[Point]:
    seen = [dict(point) for point in before]
    found: list[Point] = []
    for point in points:
        if point not in seen and point not in found:
            found.append(point)
    return found


def _optuna() -> Any:
    """Asked for before the first round already: what a later one needs must not be found missing then."""
    try:
        import optuna
    except ImportError:
        fail("search.needs-optuna")
    return optuna


@contextlib.contextmanager
def _quiet(optuna: Any) -> Generator[None]:
    """Nothing of Optuna's own on the user's screen; its loudness as it was, after."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of its options are called experimental
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _distribution(optuna: Any, one: Range) -> Any:
    kinds = optuna.distributions
    if one.whole:
        return kinds.IntDistribution(int(one.low), int(one.high), log=one.log)
    return kinds.FloatDistribution(one.low, one.high, log=one.log)
