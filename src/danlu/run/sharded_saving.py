"""What the processes of a sharded training do together so that the first one can save and score."""

import contextlib
from collections.abc import Generator

import torch
from torch import nn

from danlu.base.events import EpochDone, Event, StepDone, Stop
from danlu.run.interrupt import Interrupt
from danlu.run.listeners.checkpointer import Checkpointer
from danlu.train.distributed.group import TrainingGroup
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.engine import Engine


class SavingTogether:
    """A listener of every process: where the first one, which has the `checkpointer`, saves, all give their parts."""

    def __init__(self, group: TrainingGroup, engine: ShardedEngine, checkpointer: Checkpointer | None = None) -> None:
        self._group = group
        self._engine = engine
        self._checkpointer = checkpointer

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, StepDone):
            self._save_where(self._checkpointer is not None and self._checkpointer.is_due(event))
        elif isinstance(event, EpochDone) and event.best:
            weights = self._engine.scored_weights()
            if self._checkpointer:
                self._checkpointer.best = weights
        return None

    def save(self) -> None:
        """A checkpoint of this very moment, unless the last one is of it."""
        self._save_where(self._checkpointer is not None and not self._checkpointer.is_up_to_date)

    def _save_where(self, wanted: bool) -> None:
        if self._group.from_first(torch.tensor([int(wanted)])).item():
            tensors = self._engine.tensors()
            if self._checkpointer:
                self._checkpointer.save(tensors)


def saver_of(group: TrainingGroup, engine: Engine, checkpointer: Checkpointer) -> "SavingTogether | Checkpointer":
    """What saves in the first process."""
    return SavingTogether(group, engine, checkpointer) if isinstance(engine, ShardedEngine) else checkpointer


def save_last(engine: Engine, saver: SavingTogether | Checkpointer) -> None:
    """Save where the training has ended; from then on each process has the whole net again."""
    saver.save()
    if isinstance(engine, ShardedEngine):
        engine.unshard()


def asked_of(group: TrainingGroup, engine: Engine, interrupt: Interrupt) -> "Interrupt | AskedOfAny":
    """Who is asked whether to break off a scoring."""
    return AskedOfAny(group, interrupt) if isinstance(engine, ShardedEngine) else interrupt


class AskedOfAny:
    """Whether any process was told to stop; asked by all of them alike."""

    def __init__(self, group: TrainingGroup, interrupt: Interrupt) -> None:
        self._group = group
        self._interrupt = interrupt

    @property
    def asked(self) -> bool:
        return bool(self._group.add(torch.tensor([int(self._interrupt.asked)])).item())


@contextlib.contextmanager
def scored_in(engine: Engine) -> Generator[nn.Module]:
    """The net that is validated; of a sharded training one that all processes call."""
    if isinstance(engine, ShardedEngine):
        with engine.scoring() as net:
            yield net
    else:
        yield engine.scored_net
