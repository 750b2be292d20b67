"""The batches of a stack: every group's own order, gathered for all groups at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from danlu.base.seeds import balanced_order, order
from danlu.stack.layout import Layout
from danlu.stack.members import FoldRows
from danlu.stack.step import Batch

# Several batches are gathered at once, and few enough to stay in the processor's cache.
_CHUNK_BYTES = 2 * 2**20
_VALIDATION_ROWS = 256


@dataclass(frozen=True)
class Stream:
    """What a group of members sees: the rows of a fold in the order of a seed, with `balance` as many of each class."""

    fold: int
    seed: int
    shuffle: bool = True
    balance: bool = False


class StackFeed:
    """Inputs [G, N, …] of the groups and targets [K, N, …] of their members, batch by batch.

    The folds of all groups have equally many batches. Where one has fewer rows than another, its last batch is filled
    with rows that do not count.
    """

    def __init__(self, folds: Sequence[FoldRows], streams: Sequence[Stream], layout: Layout, batch_size: int) -> None:
        self._folds = folds
        self._layout = layout
        self._streams = list(streams)
        self._batch_size = batch_size
        first = folds[streams[0].fold]
        self.steps_per_epoch = -(-len(first.train) // batch_size)
        self._one_source = all(
            fold.inputs is first.inputs and fold.targets is first.targets and fold.transform is first.transform
            for fold in self._streamed()
        )

    def _streamed(self) -> list[FoldRows]:
        return [self._folds[stream.fold] for stream in self._streams]

    def select(self, groups: Sequence[int], layout: Layout) -> None:
        self._streams = [self._streams[group] for group in groups]
        self._layout = layout

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0, from batch number `start` on."""
        return self._cut([self._rows(stream, epoch) for stream in self._streams], self._batch_size, start)

    def validation(self) -> Iterator[Batch] | None:
        """The validation rows of every group's fold, in their order; None where there are none."""
        parts = [fold.validation for fold in self._streamed()]
        held = [part for part in parts if part is not None and len(part)]
        return self._cut(held, _VALIDATION_ROWS) if len(held) == len(parts) else None

    def _rows(self, stream: Stream, epoch: int) -> Tensor:
        fold = self._folds[stream.fold]
        rows = fold.train
        if stream.balance:
            return rows[balanced_order(fold.targets.index_select(0, rows), stream.seed, epoch).to(rows.device)]
        return rows[order(len(rows), stream.seed, epoch).to(rows.device)] if stream.shuffle else rows

    def _cut(self, rows: Sequence[Tensor], size: int, start: int = 0) -> Iterator[Batch]:
        lengths = [len(own) for own in rows]
        most, least = max(lengths), min(lengths)
        filled = torch.stack([torch.cat([own, own[-1:].expand(most - len(own))]) for own in rows])
        counts = self._layout.spread(torch.tensor(lengths, device=filled.device))
        fold = self._folds[self._streams[0].fold]
        numbers = (len(rows) * fold.inputs[:1].numel(), self._layout.members * fold.targets[:1].numel())
        per_chunk = max(1, _CHUNK_BYTES // (4 * max(1, *numbers) * size)) * size
        for first in range(start * size // per_chunk * per_chunk, most, per_chunk):  # chunks always begin alike
            chunk = self._gathered(filled[:, first : first + per_chunk])
            for number, (inputs, targets) in enumerate(zip(*(part.split(size, 1) for part in chunk), strict=True)):
                begin = first + number * size
                end = begin + inputs.shape[1]
                if begin >= start * size:
                    yield Batch(inputs, targets, (counts - begin).clamp(0, size) if end > least else None)

    def _gathered(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets at rows [G, n]."""
        if self._one_source:
            inputs, targets = _taken(self._folds[self._streams[0].fold], rows.flatten())
            inputs, targets = inputs.unflatten(0, rows.shape), targets.unflatten(0, rows.shape)
        else:
            pairs = [_taken(fold, own) for fold, own in zip(self._streamed(), rows.unbind(0), strict=True)]
            inputs, targets = torch.stack([inputs for inputs, _ in pairs]), torch.stack([given for _, given in pairs])
        return inputs, self._layout.spread(targets)


def _taken(fold: FoldRows, rows: Tensor) -> tuple[Tensor, Tensor]:
    inputs = fold.inputs.index_select(0, rows)
    return fold.transform(inputs) if fold.transform else inputs, fold.targets.index_select(0, rows)
