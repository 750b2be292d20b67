"""A training whose batches are computed in portions: how many there should be, and what is kept and told of them."""

import math
from collections.abc import Callable, Sequence

from torch import nn

from danlu.base.errors import Fault, UserError
from danlu.base.events import Event, Listener, StepDone
from danlu.base.seeds import available_memory
from danlu.lab.journal_writer import JournalWriter
from danlu.lab.setup import Setup
from danlu.nets import rehearse
from danlu.store.records import MicroBatchChosen
from danlu.train.engine import Engine
from danlu.train.fitting import FittingEngine, MicroBatch
from danlu.train.freezing import lies_in
from danlu.train.kept_bytes import kept_bytes

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_FREE_SHARE = 0.8
_OF_SEVERAL = 3
_PEAK = 1.5  # of a backward pass, in units of what the forward pass keeps for it: its own gradients come to that


def expected_portions(setup: Setup) -> int:
    """In how many portions a batch should be computed at the least, by what a few samples take of the CPU's memory.

    The first step finds out by itself where memory is refused. A system does not refuse it to a CPU's process, it ends
    the process.
    """
    if setup.device.type != "cpu":
        return 1
    train = setup.recipe.train
    inputs, _ = next(iter(setup.data.batches("train", 2, device=setup.device, dtype=setup.dtype)))
    samples = (train.batch_size or 1) * train.accumulate
    needed = kept_bytes(setup.net, inputs[:2]) * samples * _PEAK
    return max(1, math.ceil(needed / (available_memory() * _FREE_SHARE)))


def least_portion(setup: Setup) -> int:
    """The fewest samples that a portion may have: of batches in portions of three none has a portion of one, which a
    net with batch normalisation cannot be trained on.
    """
    try:
        rehearse(setup.net, setup.data.sample_shape, 1, dtype=setup.dtype)
    except UserError:
        return _OF_SEVERAL
    return 1


def portion_notes(setup: Setup) -> list[Fault]:
    """What is said of a training whose batches are computed in portions, or may be."""
    train = setup.recipe.train
    if not train.fit_memory and train.accumulate == 1:
        return []
    frozen = train.freeze or ()
    norms = [name for name, one in setup.net.named_modules() if isinstance(one, _NORMS) and not lies_in(name, frozen)]
    return [Fault("memory.norm-in-portions", {"layer": norms[0]})] if norms else []


def plan_portions(engine: Engine, told: Sequence[MicroBatchChosen]) -> None:
    """The steps that are done over after an interruption are computed in the portions that the journal tells of."""
    if isinstance(engine, FittingEngine):
        for record in told:
            engine.plan(MicroBatch(record.step - 1, record.samples, record.ran_out))


class PortionCourse:
    """Hears of each step, and has the portions in the journal where they are new; `note` where they are small."""

    def __init__(self, engine: FittingEngine, batch: int, journal: JournalWriter, note: Callable[[Fault], None]) -> None:
        self._engine = engine
        self._batch = batch
        self._journal = journal
        self._note = note

    def __call__(self, event: Event) -> None:
        chosen = self._engine.chosen
        if not isinstance(event, StepDone) or chosen is None:
            return
        facts = {"step": chosen.step + 1, "samples": chosen.samples, "batch": self._batch}
        self._journal.write(MicroBatchChosen(**facts, ran_out=chosen.ran_out))
        if chosen.ran_out:
            self._note(Fault("memory.step-done-over", facts))
        elif chosen.samples < self._batch:
            self._note(Fault("memory.in-portions", facts))


def portion_listeners(
    setup: Setup, engine: Engine, journal: JournalWriter, note: Callable[[Fault], None]
) -> list[Listener]:
    """Who hears of the portions, where there are any."""
    if not isinstance(engine, FittingEngine):
        return []
    train = setup.recipe.train
    return [PortionCourse(engine, (train.batch_size or 1) * train.accumulate, journal, note)]
