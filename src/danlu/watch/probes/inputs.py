"""What enters the net: its scale on measured steps, and a number for every sample, by which it is known again."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.chance import share_met_by_chance
from danlu.watch.probes.layers import flat_sample
from danlu.watch.probes.reading import read
from danlu.watch.tracing import all_tensors, unreadable

_MOST_SAMPLES = 20_000
_MOST_STEPS = 200
_PLACES = 6, 128  # of windows
_CHUNK = 3, 8  # places by which one of numbers is known
_WINDOWS = 64  # from which the stride is read
_FOLLOWED = 0.2  # share of them that must have a successor in training
_MOST_COLUMNS = 128
_LAST_BITS = 14
_MOST_LOOKED_AT = 512  # samples that tell how many are alike by chance
_MOST_FEATURES = 128
_FEWEST = 16  # numbers of a sample that can be blank


def batch_of(args: Any, kwargs: Any) -> torch.Tensor | None:
    """The tensor with the batch among what a net was given; None where there is none that can be read.

    It is the first one, but for a time or a length beside it: a scalar, or one number for each sample of the next.

    >>> t, y = torch.tensor(0.5), torch.zeros(4, 2)
    >>> batch_of((t, y), {}) is y, batch_of((y.to_sparse(),), {}), batch_of((), {"t": torch.ones(4), "y": y}) is y
    (True, None, True)
    """
    tensors = [one for one in all_tensors((args, kwargs)) if one.dim() and not unreadable(one)]
    for first in tensors:
        beside = first.dim() == 1 and any(len(one) == len(first) and one.dim() > 1 for one in tensors)
        if not beside:
            return first
    return tensors[0] if tensors else None


class InputProbe:
    """Statistics of the input tensor of a training pass."""

    writes = ("inputs",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def see(self, inputs: torch.Tensor, step: int) -> None:
        """Measure one batch."""
        facts = self._measured.inputs
        if not facts.shape:
            facts.shape = tuple(inputs.shape)
        facts.floating = inputs.dtype.is_floating_point
        facts.batch.add(step, len(inputs) if inputs.dim() else 1)
        if not inputs.numel():
            return
        sample = flat_sample(inputs)
        if not facts.floating:
            facts.high.add(step, float(sample.max()))
            self._see_samples(sample, step)
            return
        low, high = torch.aminmax(sample)
        above = sample - low  # of numbers such as years or times the squares would leave no digit for the spread
        level, size, least, most = read([above.mean(), torch.linalg.vector_norm(above), low, high])
        average, spread = least + level, size * size / sample.numel() - level * level
        facts.mean.add(step, average)
        facts.std.add(step, math.sqrt(max(spread, 0.0)) if math.isfinite(spread) else math.nan)
        facts.low.add(step, least)
        facts.high.add(step, most)
        if not math.isfinite(average):
            self.see_nonfinite(inputs, step)
        elif step <= 3 or step % (10 if step <= 100 else 1_000) == 0:  # later batches are hardly of another kind
            self._see_samples(sample, step)

    def _see_samples(self, sample: torch.Tensor, step: int) -> None:
        """How many samples differ from the first one, how many are blank, and how far features are apart."""
        rows = sample.flatten(1) if sample.dim() > 1 else sample.reshape(-1, 1)
        if len(rows) > 1:
            self._measured.inputs.distinct.add(step, float((rows != rows[:1]).any(1).float().mean()))
        if not self._measured.inputs.floating:
            return
        if rows.shape[1] >= _FEWEST:
            self._measured.inputs.blank.add(step, float((rows == rows[:, :1]).all(1).float().mean()))
        if sample.dim() == 2 and 2 <= sample.shape[1] <= _MOST_FEATURES and len(sample) >= 8:
            self._see_features(sample, step)

    def _see_features(self, sample: torch.Tensor, step: int) -> None:
        spreads = sample.std(dim=0, correction=0)
        spreads = spreads[spreads > 0]
        if len(spreads):
            widest, middle = float(spreads.max()), float(spreads.median())
            self._measured.inputs.widest.add(step, widest)
            self._measured.inputs.unevenness.add(step, widest / middle)

    def see_nonfinite(self, inputs: torch.Tensor | None, step: int) -> bool:
        """Note whether a batch has numbers that are none."""
        if inputs is None or not inputs.dtype.is_floating_point or not inputs.numel():
            return False
        share = 1 - float(torch.isfinite(inputs).float().mean())
        if share > 0 and self._measured.inputs.nonfinite_since is None:
            self._measured.inputs.nonfinite_since = step
            self._measured.inputs.nonfinite_share = share
        return share > 0


def _may_be_windows(inputs: torch.Tensor) -> bool:
    """Whether rows may be windows of a longer one: [N, T] or [N, T, F]."""
    shape = inputs.shape
    return len(shape) in (2, 3) and _PLACES[0] <= shape[1] <= _PLACES[1] and shape[1:].numel() <= _MOST_COLUMNS


def _with_places_second(inputs: torch.Tensor) -> torch.Tensor:
    """Windows [N, F, T] of a few numbers, as convolutions want them, as [N, T, F]; all else as it is."""
    few = inputs.dim() == 3 and inputs.dtype.is_floating_point and inputs.shape[1] < _PLACES[0] <= inputs.shape[2]
    return inputs.transpose(1, 2) if few else inputs


def _chunk(windows: torch.Tensor) -> int:
    """By how many places a window is known; of tokens, which are few, more are needed than of numbers."""
    places = windows.shape[1]
    return min(_CHUNK[1], max(_CHUNK[0], places // 4)) if windows.dtype.is_floating_point else places // 2


_Waiting = tuple[torch.Tensor, int]  # rows of a batch, and how many of their numbers, from either end, tell a window


def _form(batch: _Waiting) -> tuple[int, int, torch.device, torch.dtype]:
    rows, width = batch
    return width, rows.shape[1], rows.device, rows.dtype


def _rows(inputs: torch.Tensor) -> torch.Tensor:
    """The samples as rows of at most about 128 numbers, [N, C] with a memory of their own."""
    rows = inputs.detach()
    rows = rows if type(rows) is torch.Tensor else rows.as_subclass(torch.Tensor)
    rows = rows if rows.dim() == 2 else rows.flatten(1)
    if rows.shape[1] > _MOST_COLUMNS:
        rows = rows[:, :: rows.shape[1] // _MOST_COLUMNS]
    return rows.clone()


class SampleProbe:
    """Knows samples again by a weighted sum of their numbers: when the epoch begins anew, in what order, and whether
    the samples of an evaluation were trained on."""

    writes = ("epoch_steps", "samples_seen", "same_order", "full_batch", "chance_overlap", "doubled")

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._weights: dict[tuple[int, torch.device], torch.Tensor] = {}  # by the numbers of a sample
        self._seen: dict[int, int] = {}  # key: position in the first epoch
        self._twice: set[int] = set()  # keys that came in it again
        self._rows = self._step = 0
        self._batches: list[_Waiting] = []
        self._first_rows: list[torch.Tensor] = []
        self._first_count = 0
        self._in_first_epoch = 0  # samples, the same ones again among them
        self._windows: tuple[set[int], set[int]] = set(), set()  # keys of the first, the last places of windows
        self._some: torch.Tensor | None = None  # windows of the first batch
        self._stride = 0  # from one window to the next; 0 where that is not known yet
        self._epoch_rows: int | None = None
        self._second: list[int] = []
        self.closed = False

    def train(self, inputs: torch.Tensor, step: int) -> None:
        """Take up a batch of training samples, in the first 200 steps and 20,000 samples."""
        if self.closed or not self._known(inputs):
            return
        if step > _MOST_STEPS or self._rows > _MOST_SAMPLES:
            self.closed = True
            return
        inputs = _with_places_second(inputs)
        rows, ends = _rows(inputs), 0
        if _may_be_windows(inputs):
            ends = _chunk(inputs) * (rows.shape[1] // inputs.shape[1])
            if self._some is None:
                self._some = inputs[:_WINDOWS].detach().clone()
        if self._first_count < _MOST_LOOKED_AT:
            self._first_rows.append(rows)
            self._first_count += len(rows)
        self._rows += len(rows)
        self._step = step
        self._batches.append((rows, ends))
        if step <= 3 or len(self._batches) >= 16:
            self._read(step)

    def _known(self, inputs: torch.Tensor) -> bool:
        # Whole numbers are tokens or codes: few of them make no sample known.
        least = 2 if inputs.dtype.is_floating_point else 8
        shape = inputs.shape
        return len(shape) >= 2 and shape[0] > 0 and shape[1:].numel() >= least

    def _keys(self, inputs: torch.Tensor) -> torch.Tensor:
        return self._keys_of(_rows(inputs))

    def _keys_of(self, rows: torch.Tensor) -> torch.Tensor:
        """The keys [N] of rows [N, C]."""
        size = rows.shape[1], rows.device
        if size not in self._weights:
            places = torch.arange(1, rows.shape[1] + 1, dtype=torch.float64)
            # Multiples of the golden ratio: only equal samples have equal sums.
            self._weights[size] = (torch.frac(places * 0.6180339887498949) + 0.5).to(rows.device)
        # In float32 the sum of one sample would differ from batch to batch; in float64 it does so in its last bits
        # only, which are left out.
        return (rows.double() @ self._weights[size]).view(torch.int64) >> _LAST_BITS

    def _read(self, step: int) -> None:
        seen = self._seen
        for keys in self._waiting():
            # Where all of a batch was seen before, a new epoch has begun; a few doubles are in the nature of some data.
            if self._epoch_rows is None and len(seen) and sum(map(seen.__contains__, keys)) > 0.95 * len(keys):
                self._close_epoch(step)
            if self._epoch_rows is not None:
                self._second += [seen.get(key, -1) for key in keys]
            else:
                self._in_first_epoch += len(keys)
                fresh = [key for key in dict.fromkeys(keys) if key not in seen]
                if len(fresh) < len(keys):
                    self._twice.update((Counter(keys) - Counter(fresh)).keys())
                seen.update(zip(fresh, range(len(seen), len(seen) + len(fresh)), strict=True))
        self._batches.clear()
        if self._epoch_rows is not None and len(self._second) >= min(64, self._epoch_rows):
            known = [place for place in self._second if place >= 0]
            following = sum(b - a == 1 for a, b in itertools.pairwise(known))
            self._measured.same_order = following > 0.9 * max(1, len(known) - 1) and len(known) > 8
            self.closed = True

    def _waiting(self) -> Iterator[list[int]]:
        """The keys of each batch that waits; those of one form are taken together."""
        for (width, *_), alike in itertools.groupby(self._batches, _form):
            batches = [rows for rows, _ in alike]
            rows = torch.cat(batches)
            if width:
                for known, part in zip(self._windows, (rows[:, :width], rows[:, -width:]), strict=True):
                    known.update(self._keys_of(part).tolist())
            keys = iter(self._keys_of(rows).tolist())
            yield from (list(itertools.islice(keys, len(batch))) for batch in batches)

    def _close_epoch(self, step: int) -> None:
        self._epoch_rows = len(self._seen)
        self._measured.doubled = 1 - (len(self._seen) - len(self._twice)) / max(1, self._in_first_epoch)
        batch = max(1.0, self._measured.inputs.batch.median())
        self._measured.epoch_steps = max(1, math.ceil(len(self._seen) / batch))
        self._measured.full_batch = step <= 3 and batch >= 0.95 * len(self._seen)

    def flush(self) -> None:
        """Read what is still waiting."""
        if self._batches:
            self._read(self._step)

    def overlap(self, inputs: torch.Tensor) -> tuple[int, int]:
        """Of how many samples of an evaluation how many were trained on; (0, 0) where that cannot be told."""
        self.flush()
        if not self._known(inputs) or not self._seen:
            return 0, 0
        keys = self._keys(_with_places_second(inputs[:256])).tolist()
        distinct = set(keys)
        if len(distinct) < 0.5 * len(keys):  # few values, many doubles: equal samples mean nothing
            return 0, 0
        met = sum(key in self._seen for key in distinct)
        if met:
            some = [rows for rows in self._first_rows if rows.shape[1] == self._first_rows[0].shape[1]]
            looked_at = torch.cat(some)[:_MOST_LOOKED_AT]
            self._measured.chance_overlap = share_met_by_chance(looked_at, self._in_first_epoch)
        return len(distinct), met

    def neighbours(self, inputs: torch.Tensor) -> tuple[int, int]:
        """Of how many windows of an evaluation how many lie beside a training window: moved on by as much as two
        training windows that follow each other, or back."""
        inputs = _with_places_second(inputs)
        if not _may_be_windows(inputs) or self._some is None or inputs.shape[1:] != self._some.shape[1:]:
            return 0, 0
        self.flush()
        stride, chunk = self._stride or self._find_stride(), _chunk(inputs)
        if stride < 0:
            return 0, 0
        end = inputs.shape[1] - stride
        parts = inputs[:256, stride : stride + chunk], inputs[:256, end - chunk : end]
        later, earlier = (self._keys(part).tolist() for part in parts)
        if len(set(later)) < 0.9 * len(later):  # few values: parts of them are the same by chance
            return 0, 0
        met = self._begin_or_end(later, earlier)
        # Parts that training windows share where they are, not moved, are alike by chance: so it is with pictures.
        plain = self._begin_or_end(*(self._keys(one).tolist() for one in (inputs[:256, :chunk], inputs[:256, -chunk:])))
        return len(met), sum(one and not other for one, other in zip(met, plain, strict=True))

    def _begin_or_end(self, first: list[int], last: list[int]) -> list[bool]:
        """Which windows begin as one of the training does, or end as one does; by keys of these parts."""
        return [a in self._windows[0] or b in self._windows[1] for a, b in zip(first, last, strict=True)]

    def _find_stride(self) -> int:
        """By how many places a training window lies behind the one before; -1 where they share none."""
        assert self._some is not None
        chunk, self._stride = _chunk(self._some), -1
        starts = self._keys(self._some[:, :chunk]).tolist()
        if len(set(starts)) < 0.9 * len(starts):
            return self._stride
        for stride in range(1, self._some.shape[1] - chunk + 1):
            keys = self._keys(self._some[:, stride : stride + chunk]).tolist()
            if sum(key in self._windows[0] for key in keys) > _FOLLOWED * len(keys):
                self._stride = stride
                break
        return self._stride

    def share_seen(self, inputs: torch.Tensor) -> float:
        """Of held-out samples, the share that was trained on; NaN where that cannot be told."""
        if self._epoch_rows is None:
            return math.nan
        asked, met = 0, 0
        for part in inputs.split(256):
            more, found = self.overlap(part)
            asked, met = asked + more, met + found
        return met / asked if asked else math.nan

    @property
    def samples(self) -> int:
        """Different training samples seen."""
        return len(self._seen)
