"""A training whose batches are computed in portions: how many there should be, and what is kept and told of them."""

import math
from collections.abc import Callable, Sequence

from danlu.base.errors import Fault, UserError
from danlu.base.events import Event, StepDone
from danlu.base.memory import is_out_of_memory
from danlu.base.seeds import available_memory
from danlu.nets import rehearse
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.run.setup import Setup
from danlu.store.records import MicroBatchChosen
from danlu.train.engine import Batch, Engine
from danlu.train.fitting import FittingEngine, MicroBatch
from danlu.train.freezing import lies_in
from danlu.train.kept_bytes import kept_bytes
from danlu.train.loop import Batches
from danlu.train.norms import BATCH_NORMS

_FREE_SHARE = 0.8
_OF_SEVERAL = 3
_PEAK = 1.5  # of a backward pass, in units of what the forward pass keeps for it: its own gradients come to that


def expected_portions(setup: Setup) -> int:
    """In how many portions a batch should be computed at the least, by what a few samples take of the CPU's memory.

    Where memory is refused, trying finds out. A system does not refuse it to a CPU's process, it ends the process.
    """
    if setup.device.type != "cpu":
        return 1
    inputs, _ = next(iter(setup.data.batches("train", 2, device=setup.device, dtype=setup.dtype)))
    try:
        kept = kept_bytes(setup.net, inputs[:2])
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return _batch_of(setup)
    needed = kept * _batch_of(setup) * _PEAK
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
    norms = [
        name for name, one in setup.net.named_modules() if isinstance(one, BATCH_NORMS) and not lies_in(name, frozen)
    ]
    return [Fault("memory.norm-in-portions", {"layer": norms[0]})] if norms else []


def plan_portions(engine: Engine, told: Sequence[MicroBatchChosen]) -> None:
    """The steps that are done over after an interruption are computed in the portions that the journal tells of."""
    if isinstance(engine, FittingEngine):
        for record in told:
            engine.plan(MicroBatch(record.step - 1, record.samples, record.ran_out))


class PortionCourse:
    """Has the portions of a training in its journal, and told: those that it begins with, once they are found, and
    smaller ones as they come, for it hears of each step.
    """

    def __init__(self, setup: Setup, engine: Engine, journal: JournalWriter, note: Callable[[Fault], None]) -> None:
        self._engine = engine if isinstance(engine, FittingEngine) else None
        self._whole = _batch_of(setup)
        self._journal = journal
        self._note = note

    def begin(self, batches: Batches[Batch]) -> None:
        """Find those that the first step has, where that is not known yet."""
        if self._engine is None or self._engine.course:
            return
        batch = next(iter(batches(0, 0)))
        samples = self._engine.find(batch)
        self._journal.write(MicroBatchChosen(step=1, samples=samples, batch=self._whole))
        if samples < self._whole:
            self._note(Fault("memory.in-portions", {"samples": samples, "batch": self._whole}))

    def __call__(self, event: Event) -> None:
        chosen = None if self._engine is None else self._engine.chosen
        if isinstance(event, StepDone) and chosen is not None:
            facts = {"step": event.step, "samples": chosen.samples, "batch": self._whole}
            self._journal.write(MicroBatchChosen(**facts, ran_out=True))
            self._note(Fault("memory.step-done-over", facts))


def _batch_of(setup: Setup) -> int:
    """The samples of a batch that makes a step."""
    train = setup.recipe.train
    return (train.batch_size or 1) * train.accumulate
