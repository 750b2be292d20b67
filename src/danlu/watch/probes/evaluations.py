"""Evaluation passes: what ran without gradients between two steps, with its loss, accuracy and samples."""

import math
from dataclasses import dataclass, field

import torch

from danlu.watch.measured import Evaluation, Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.inputs import SampleProbe
from danlu.watch.tracing import unreadable

_MOST_BATCHES = 200
_LOOK_ALWAYS, _LOOK_EVERY, _LOOK_MOST = 8, 4, 80  # batches of one evaluation whose samples are looked up
_LOOK_PASSES = 24
_MOST = 256


@dataclass
class _Pass:
    training: bool
    known: bool | None = None  # its batches are ones that were trained on, all of them
    batches: int = 0
    samples: int = 0
    last: int = 0  # samples of the newest batch
    largest: int = 0
    losses: list[tuple[torch.Tensor, int]] = field(default_factory=list[tuple[torch.Tensor, int]])
    right: list[tuple[torch.Tensor, int]] = field(default_factory=list[tuple[torch.Tensor, int]])
    asked: int = 0
    met: int = 0


class EvaluationProbe:
    """Gathers what runs without gradients into passes; a step ends them."""

    writes = ("evaluations",)

    def __init__(self, measured: Measured, samples: SampleProbe) -> None:
        self._measured = measured
        self._samples = samples
        self._passes: list[_Pass] = []
        self._batches = 0  # in this evaluation
        self.running = False

    def forward(self, inputs: torch.Tensor | None, *, training: bool) -> None:
        """A forward pass without gradients begins."""
        known: bool | None = None
        asked = met = 0
        self._batches += 1
        self.running = True
        size = len(inputs) if inputs is not None and inputs.dim() else 1
        if inputs is not None and self._looks():
            asked, met = self._samples.overlap(inputs)
            known = None if not asked or 0.3 * asked < met < 0.95 * asked else met > 0.5 * asked
        now = self._passes[-1] if self._passes else None
        # A batch wholly known after ones that were not, or the reverse, begins another pass: the training data scored
        # beside the held-out ones.
        fresh = now is None or now.training != training or (now.last < now.largest and size > now.last)
        if now is not None and known is not None and now.known is not None:
            fresh = fresh or known != now.known
        if fresh:
            now = _Pass(training, known)
            self._passes.append(now)
        assert now is not None
        now.known = known if now.known is None else now.known
        now.batches += 1
        now.samples += size
        now.last, now.largest = size, max(size, now.largest)
        now.asked += asked
        now.met += met

    def _looks(self) -> bool:
        """The first batches, then every fourth: one pass may follow another. Later evaluations tell nothing new."""
        if len(self._measured.evaluations) > _LOOK_PASSES or self._batches > _LOOK_EVERY * _LOOK_MOST:
            return False
        return self._batches <= _LOOK_ALWAYS or self._batches % _LOOK_EVERY == 0

    def loss(self, call: LossCall, result: torch.Tensor) -> None:
        """A loss was computed without gradients."""
        if not self._passes or self._passes[-1].batches > _MOST_BATCHES:
            return
        now, outputs, targets = self._passes[-1], call.outputs, call.targets
        if unreadable(result) or unreadable(outputs) or unreadable(targets):
            return
        size = len(outputs) if outputs.dim() else 1
        if result.numel() == 1:
            now.losses.append((result.detach() / size if call.summed else result.detach(), size))
        if call.kind == "classes" and outputs.dim() == 2 and targets.dim() == 1:
            now.right.append(((outputs.detach().argmax(1) == targets).float().mean(), size))

    def withdraw(self) -> None:
        """The newest batch was one of training after all."""
        if self._passes:
            self._passes[-1].batches -= 1
            if not self._passes[-1].batches:
                self._passes.pop()

    def end(self, step: int) -> None:
        """A step has begun, or the block has ended: the passes are over."""
        for one in self._passes:
            overlap = one.met / one.asked if one.asked else math.nan
            self._measured.evaluations.append(
                Evaluation(step, one.batches, one.samples, _mean(one.losses), _mean(one.right), one.training, overlap)
            )
        del self._measured.evaluations[: max(0, len(self._measured.evaluations) - _MOST)]
        self._passes.clear()
        self.running = False
        self._batches = 0


def _mean(entries: list[tuple[torch.Tensor, int]]) -> float:
    if not entries:
        return math.nan
    values = torch.stack([value.double() for value, _ in entries]).tolist()
    return sum(value * size for value, (_, size) in zip(values, entries, strict=True)) / sum(n for _, n in entries)
