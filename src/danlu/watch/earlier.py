"""What came before a watched block that goes on with a training: a resumed run is judged as one training, told once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from danlu.base.records import Finding
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation


@dataclass(frozen=True)
class Earlier:
    """The part of a training that was done before: the loss of each step, the highest learning rate, the steps of an
    epoch, the validation passes and what had been found, all counted from the training's first step.

    >>> measured = Measured()
    >>> Earlier([2.0, 1.0], 0.1).restore(measured)
    >>> measured.before, measured.loss.count, measured.loss.first
    (2, 2, 2.0)
    """

    losses: Sequence[float] = ()
    highest_rate: float = 0.0
    epoch_steps: int | None = None
    evaluations: Sequence[Evaluation] = ()
    findings: Sequence[Finding] = ()

    def restore(self, measured: Measured) -> None:
        """Put it where the probes go on. Steps of the block count from 1; what came before lies at 0 and below, and the
        optimisers must be known."""
        measured.before, measured.epoch_steps = len(self.losses), self.epoch_steps
        for loss in self.losses:
            measured.loss.add(loss)
        measured.evaluations += [replace(one, step=one.step - measured.before) for one in self.evaluations]
        for optimiser in measured.optimisers:
            optimiser.highest_rate = max(optimiser.highest_rate, self.highest_rate)
