"""The engine of a training that several processes share: each computes its part, all make the same update."""

import math
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn

from danlu.base.recipe import Recipe
from danlu.train.distributed.batch_norm import SynchronisedNorm
from danlu.train.distributed.group import TrainingGroup
from danlu.train.distributed.rows import PartRows
from danlu.train.distributed.shares import Share, Sharing, bounds
from danlu.train.engine import Batch
from danlu.train.module_engine import ModuleEngine
from danlu.train.terms import terms

_EVERY = 50  # steps between two of which the processes tell each other what only they saw


def is_measured(step: int) -> bool:
    """Whether update number `step`, from 0, is one of those; the same in all processes.

    >>> [step for step in range(120) if is_measured(step)]
    [0, 1, 2, 50, 100]
    """
    return step < 3 or step % _EVERY == 0


class SharedEngine(ModuleEngine):
    """Cuts a batch into parts, adds up their gradients over all processes, and moves the weights as one would.

    An exact training (`train.exact`) has parts whose number is the recipe's: each is computed by itself, with streams
    and buffers of its own, and their gradients are added one by one in their order, so that no bit depends on who
    computed which (EasyScale, Li et al. 2023, https://doi.org/10.1145/3581784.3607054). Else each process has one part,
    and what a checkpoint holds is in both cases that of one process. `seen` is what this process alone knew of the last
    step, where that is a measured one: loss, norm of the gradient, seconds of computing.
    """

    def __init__(self, *arguments: Any, group: TrainingGroup) -> None:
        super().__init__(*arguments)
        recipe: Recipe = arguments[4]
        self._group = group
        self._exact = recipe.train.workers is not None
        self._sharing = Sharing(recipe.train.workers or group.world, group.rank, group.world)
        self._most = recipe.train.batch_size if recipe.train.accumulate > 1 else None
        self._micro = 1  # the loss is that of a part
        self._together = not self._exact and group.world > 1 and recipe.train.batch_norm != "per-process"
        self._norm = self._norm_of(self.net)
        self._rows = PartRows(self._parameters, self._own_buffers(), self._parameters[0])
        self._step = 0
        self._weighs = 1.0
        self._own: list[torch.Tensor] = []
        self._terms: tuple[int, int] = 0, 0
        self._began = 0.0
        self.seen: tuple[float, float, float] | None = None

    def _norm_of(self, net: nn.Module) -> SynchronisedNorm | None:
        return SynchronisedNorm(net, self._group) if self._together else None

    def _own_buffers(self) -> list[torch.Tensor]:
        """Those that each process changes by its own samples."""
        shared = {id(buffer) for layer in (self._norm.layers if self._norm else ()) for buffer in layer.buffers()}
        return [one for one in self.net.buffers() if id(one) not in shared]

    @property
    def _wait(self) -> bool:
        """Whether layers wait for those of the other processes, so that all must call their nets equally often."""
        return self._norm is not None

    def __enter__(self) -> Self:
        super().__enter__()
        if self._norm:
            self._norm.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._norm:
            self._norm.detach()
        super().__exit__(kind, error, trace)

    def size(self, batch: Batch) -> tuple[int, int]:
        """Of the whole batch, which was reduced by now."""
        return self._terms

    def begin(self, step: int) -> None:
        super().begin(step)
        self._step = step
        self._rows.begin()
        self._began = time.monotonic()

    def parts(self, batch: Batch) -> Iterator[Batch]:
        """The portions of this process: of each of its parts at most so many samples at once as the recipe says."""
        inputs, targets = batch
        samples = batch.samples if isinstance(batch, Share) else len(inputs)
        first = self._sharing.slice_of(samples)[0] if isinstance(batch, Share) else 0
        self._own, self._terms = [], (samples, 0)
        for part in self._sharing.own:
            begin, end = (place - first for place in bounds(samples, self._sharing.parts)[part])
            pieces = self._pieces(end - begin, samples)
            if not pieces:
                self._own.append(self._rows.empty())
                continue
            self._rows.begin_part()
            self._seed(self._step * self._sharing.parts + part)
            self.batch_loss = torch.zeros((), device=inputs.device)
            for start, stop in bounds(end - begin, pieces):
                # Where the others' layers wait for this process, one without samples calls its net on somebody's.
                self._weighs = float(stop > start)
                place = slice(begin + start, begin + stop) if self._weighs else slice(0, 1)
                piece = inputs[place], targets[place]
                if self._exact:  # in memory of its own: sums in a product may depend on how it is aligned
                    piece = piece[0].clone(), piece[1].clone()
                self._share = (1.0 if self._sums else self._counted(piece[1]) / samples) * self._weighs
                yield piece
            own = targets[begin:end]
            counts = (self._counted(own), terms(own)) if end > begin else None
            self._own.append(self._rows.packed(self.batch_loss, counts))

    def _pieces(self, own: int, samples: int) -> int:
        """In how many pieces a part of so many samples is computed; the same for all parts where layers wait."""
        if self._wait:
            own = bounds(samples, self._sharing.parts)[0][1]
        return min(own, 1) if self._most is None else -(-own // self._most)

    def forward(self, inputs: torch.Tensor) -> Any:
        if self._norm is None:
            return super().forward(inputs)
        return self._norm.calling(self._weighs, super().forward, inputs)

    def clip(self) -> torch.Tensor | None:
        """Add up what all parts gave; then clip as one process does."""
        self.seen = self._seen() if is_measured(self._step) else None
        summed = self._rows.unpack(self._in_order() if self._exact else self._group.add(self._own[0]))
        samples = self._terms[0]
        self.batch_loss, self._terms = summed.loss, (samples, int(summed.terms))
        if not self._sums and summed.counted not in (0, samples):
            self.batch_loss = self.batch_loss * (samples / summed.counted)
            for parameter in self._parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(samples / summed.counted)
        return super().clip()

    def _seen(self) -> tuple[float, float, float]:
        """What this process alone knows of the step: the loss and the gradient's norm of its parts, and its seconds."""
        loss, counted, norm = self._rows.totals(self._own)
        share = 1.0 if self._sums else counted / self._terms[0]
        return (loss / share if share else math.nan), norm, time.monotonic() - self._began

    def _in_order(self) -> torch.Tensor:
        """The parts' rows added one by one, in the order of the parts."""
        sharing = self._sharing
        if sharing.world == 1:
            rows = self._own
        else:
            missing = sharing.most - len(self._own)
            filled = torch.stack([*self._own, *(self._rows.empty() for _ in range(missing))])
            gathered = self._group.rows(filled)
            shares = [Sharing(sharing.parts, rank, sharing.world).own for rank in range(sharing.world)]
            rows = [gathered[rank, place] for rank, own in enumerate(shares) for place in range(len(own))]
        total = rows[0].clone()
        for row in rows[1:]:
            total += row
        return total
