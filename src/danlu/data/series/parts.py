"""Which windows are trained on, chosen by and tested on: cut by time, no later target in an earlier part."""

from dataclasses import dataclass, replace
from typing import Any

import numpy
import torch

from danlu.base.errors import fail
from danlu.data.divide import Keys, divide, thinned
from danlu.data.options import Options
from danlu.data.split import Rows

Array = numpy.ndarray[Any, Any]


@dataclass(frozen=True)
class Cut:
    """The windows of each part. All rows of those that are trained on lie before the time `trained`; the targets of
    validation and test begin at the times `validation` and `test`, infinite where there is no such part. `left` windows
    are in none.
    """

    rows: Rows
    trained: float
    validation: float
    test: float
    left: int


@dataclass(frozen=True)
class PartBegins:
    """The times at which parts begin that came as files of their own; None where a part is to be cut out."""

    validation: float | None = None
    test: float | None = None


def cut_by_time(first: Array, last: Array, options: Options, given: PartBegins, place: str) -> Cut:
    """The parts of windows whose targets go from time `first` to time `last`, [N] each: windows of one time go
    together, and those whose targets would lie in two parts in none. So that validation has its share
    all the same, it begins as many steps earlier as a horizon has more than one.

    UserError where a part that is asked for has no window.
    """
    anew = options.fold is not None or options.refit
    validation = numpy.inf if given.validation is None or anew else given.validation
    test = numpy.inf if given.test is None else given.test
    if validation < numpy.inf and given.test is None and options.test:
        fail("data.series-validation-alone", place=place)
    until = numpy.inf
    pool = first[first < min(validation, test)]
    shares = options if validation == numpy.inf else replace(options, validation=0.0)
    rank = torch.from_numpy(numpy.unique(pool, return_inverse=True)[1].astype(numpy.int64))
    shared = test == numpy.inf and validation == numpy.inf
    shares = replace(shares, samples=None)
    rows = divide(len(pool), shares, Keys(times=rank), test=options.test if shared else 0.0)
    begins = {part: pool[some.numpy()] for part, some in rows.items() if part != "train" and len(some)}
    if "test" in begins:
        test = float(begins["test"].min())
    if "validation" in begins:
        validation, until = float(begins["validation"].min()), float(begins["validation"].max())
        if options.fold is None and test < numpy.inf:
            distinct, ahead = numpy.unique(pool), (options.horizon or 1) - 1
            validation = float(distinct[max(0, numpy.searchsorted(distinct, validation) - ahead)])
    trained = min(validation, test)
    parts = {
        "train": last < trained,
        "validation": (first >= validation) & (first <= until) & (last < test),
        "test": first >= test,
    }
    found = {part: torch.from_numpy(numpy.flatnonzero(chosen)) for part, chosen in parts.items()}
    wanted = [("train", 0.0), ("validation", validation), ("test", test)]
    lacking = [part for part, begin in wanted if begin < numpy.inf and not len(found[part])]
    if lacking:
        fail("data.series-too-few", place=place, count=len(first), parts=", ".join(lacking))
    left = 0 if options.fold else len(first) - sum(map(len, found.values()))
    return Cut({**found, "train": thinned(found["train"], options)}, trained, validation, test, left)
