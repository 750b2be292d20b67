"""Which rows go into which part, by whichever rule the options ask for: chance, classes, groups, time, or a fold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.seeds import stream
from danlu.data.folds import assign_folds
from danlu.data.options import Fold, Options
from danlu.data.split import Rows, part_sizes, split

AS_THEY_STAND = "rows"


@dataclass(frozen=True)
class Keys:
    """What a split goes by, for each sample of the training pool: class, group, place in time (int64 [N] or None)."""

    labels: Tensor | None = None
    groups: Tensor | None = None
    times: Tensor | None = None


def keys_of(options: Options, count: int, labels: Tensor | None, columns: Mapping[str, Any] | None = None) -> Keys:
    """The keys that the options name: arrays of `count` values, or columns of a table."""
    groups = _values("group", options.group, count, columns)
    times = _values("time", options.time, count, columns)
    if groups is not None and options.time is not None:
        fail("data.group-and-time")
    if times is None and options.time is not None:  # "rows": as they stand
        return Keys(labels, None, torch.arange(count))
    return Keys(
        labels,
        None if groups is None else torch.from_numpy(numpy.unique(groups, return_inverse=True)[1].astype(numpy.int64)),
        None if times is None else torch.from_numpy(numpy.unique(times, return_inverse=True)[1].astype(numpy.int64)),
    )


def divide(count: int, options: Options, keys: Keys, *, test: float) -> Rows:
    """The rows of each part; `test` is the share to hold out for the test part, 0 where the source has one."""
    rows = _parted(count, options, keys, test)
    return {**rows, "train": thinned(rows["train"], options)}


def thinned(rows: Tensor, options: Options) -> Tensor:
    """As many of the rows of the training part as the options leave in it."""
    if options.samples is None or options.samples >= len(rows):
        return rows
    drawn = torch.randperm(len(rows), generator=stream(options.split_seed, "samples"))[: options.samples]
    return rows[drawn.sort().values]


def _parted(count: int, options: Options, keys: Keys, test: float) -> Rows:
    rows = _held_out(count, options, keys, test)
    if options.fold is None and not options.refit:
        return rows
    rest = torch.cat([rows["train"], rows["validation"]]).sort().values
    if options.fold is None:
        return {"train": rest, "validation": rest[:0], "test": rows["test"]}
    train, validation = _fold(options.fold, rest, keys)
    return {"train": train, "validation": validation, "test": rows["test"]}


def _held_out(count: int, options: Options, keys: Keys, test: float) -> Rows:
    if keys.times is not None:
        sizes = part_sizes(count, options.validation, test)
        in_time = keys.times.argsort(stable=True)
        train, validation, held = in_time.split([sizes["train"], sizes["validation"], sizes["test"]])
        return {"train": train, "validation": validation, "test": held}
    if keys.groups is not None:
        return _whole_groups(keys.groups, options, test)
    return split(count, options.validation, test, options.split_seed, keys.labels)


def _whole_groups(groups: Tensor, options: Options, test: float) -> Rows:
    """Groups in random order, cut where the parts come nearest to their shares."""
    wanted = part_sizes(len(groups), options.validation, test)
    sizes = groups.bincount()
    parts = [part for part in ("test", "validation") if wanted[part]]
    if len(sizes) <= len(parts):
        fail("data.too-few-groups", groups=len(sizes), parts=len(parts) + 1)
    shuffled = torch.randperm(len(sizes), generator=stream(options.split_seed, "split"))
    reached = sizes[shuffled].cumsum(0)
    part_of = torch.zeros(len(sizes), dtype=torch.int64)
    first, goal = 0, 0
    for place, part in enumerate(parts):
        goal += wanted[part]
        # At least one group for this part, and one for each that is still to come.
        last = len(sizes) - (len(parts) - place)
        cut = first + int((reached[first:last] - goal).abs().argmin()) + 1
        part_of[shuffled[first:cut]] = place + 1
        first = cut
    chosen = {part: (part_of[groups] == place + 1).nonzero().flatten() for place, part in enumerate(parts)}
    none = torch.empty(0, dtype=torch.int64)
    train = (part_of[groups] == 0).nonzero().flatten()
    return {"train": train, "validation": chosen.get("validation", none), "test": chosen.get("test", none)}


def _fold(fold: Fold, rest: Tensor, keys: Keys) -> tuple[Tensor, Tensor]:
    """The rows of `rest` that are trained on, and those of the fold."""
    if not 0 <= fold.index < fold.count:
        fail("data.fold-index", index=fold.index, count=fold.count, last=fold.count - 1)
    if keys.times is not None:
        in_time = rest[keys.times[rest].argsort(stable=True)]
        stretches = in_time.tensor_split(fold.count + 1)
        if not 2 <= fold.count < len(rest):
            fail("data.fold-count", found=fold.count, count=len(rest) - 1)
        return torch.cat(stretches[: fold.index + 1]), stretches[fold.index + 1]
    labels, groups = (None if key is None else key[rest] for key in (keys.labels, keys.groups))
    assigned = assign_folds(len(rest), fold.count, fold.seed, labels=labels, groups=groups)
    return rest[assigned != fold.index], rest[assigned == fold.index]


def _values(option: str, given: Any, count: int, columns: Mapping[str, Any] | None) -> "numpy.ndarray[Any, Any] | None":
    if given is None or (option == "time" and isinstance(given, str) and given == AS_THEY_STAND):
        return None
    if isinstance(given, str):
        if columns is None or given not in columns:
            fail("data.no-such-key", option=option, column=given, columns=", ".join(columns or ()) or "-")
        values = columns[given]
    else:
        values = given.detach().cpu().numpy() if isinstance(given, Tensor) else numpy.asarray(given)
    if values.shape != (count,):
        fail("data.key-length", option=option, found=list(values.shape), count=count)
    gaps = [value is None or value != value for value in values.tolist()]
    if any(gaps):
        fail("data.key-missing", option=option, count=sum(gaps), row=gaps.index(True) + 1)
    return values.astype(str) if values.dtype == object else values
