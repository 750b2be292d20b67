"""The listener that writes the journal: steps in blocks, epochs one by one."""

import time
from collections.abc import Callable

import torch

from danlu.base.events import EpochDone, Event, StepDone, Stop
from danlu.store.journal import Journal
from danlu.store.records import EpochEnded, Record, StepsTaken

_BLOCK_STEPS = 200
_BLOCK_SECONDS = 0.5


class JournalWriter:
    """Collects steps and writes them as one record each half second, so that a live view is never far behind."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.hear: Callable[[Record], None] = lambda record: None  # is told of every record but steps
        self._losses: list[torch.Tensor] = []
        self._rates: list[float] = []
        self._norms: list[torch.Tensor | None] = []
        self._first = 0
        self._epoch = 0
        self._written_at = time.monotonic()
        self._epoch_started_at = time.monotonic()

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, StepDone):
            if not self._losses:
                self._first, self._epoch = event.step, event.epoch
            self._losses.append(event.loss)
            self._rates.append(event.lr)
            self._norms.append(event.norm)
            if len(self._losses) >= _BLOCK_STEPS or time.monotonic() - self._written_at > _BLOCK_SECONDS:
                self.flush()
        elif isinstance(event, EpochDone):
            now = time.monotonic()
            self.write(
                EpochEnded(
                    epoch=event.epoch,
                    step=event.step,
                    train=event.train,
                    validation=event.validation,
                    best=event.best,
                    seconds=round(now - self._epoch_started_at, 3),
                )
            )
            self._epoch_started_at = now
        return None

    def write(self, record: Record) -> None:
        """Write one record, after the steps that came before it."""
        self.flush()
        self._journal.add(record)
        self._journal.flush()
        self.hear(record)

    def flush(self) -> None:
        """Hand the collected steps to the journal."""
        self._written_at = time.monotonic()
        if not self._losses:
            return
        measured = [norm for norm in self._norms if norm is not None]
        read = iter(torch.stack(measured).tolist() if measured else ())  # at once: each reading makes a GPU wait
        norms = [None if norm is None else next(read) for norm in self._norms]
        record = StepsTaken(
            first=self._first,
            epoch=self._epoch,
            loss=torch.stack(self._losses).tolist(),
            lr=self._rates[0] if len(set(self._rates)) == 1 else self._rates,
            norm=norms if measured else None,
        )
        self._losses, self._rates, self._norms = [], [], []
        self._journal.add(record)
        self._journal.flush()

    def sync(self) -> None:
        """Force all that was written so far to the disk."""
        self.flush()
        self._journal.sync()
