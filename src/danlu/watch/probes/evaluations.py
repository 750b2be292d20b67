"""Evaluation passes: what ran without gradients between two steps, with its loss, accuracy and samples."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from danlu.watch.frames import labels_under_way
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.patches import LossCall
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.inputs import SampleProbe
from danlu.watch.tracing import unreadable

_MOST_BATCHES = 200
_LOOK_ALWAYS, _LOOK_EVERY, _LOOK_MOST = 8, 4, 80  # batches of one evaluation whose samples are looked up
_LOOK_PASSES = 24
_MOST = 256
_ROWS_COMPARED = 16


_Sum = tuple[torch.Tensor, torch.Tensor]  # over the samples of a batch, and how many they are


@dataclass
class _Pass:
    training: bool
    known: bool | None = None  # its batches are ones that were trained on, all of them
    batches: int = 0
    samples: int = 0
    last: int = 0  # samples of the newest batch
    largest: int = 0
    smallest: int = 0
    losses: list[tuple[torch.Tensor, int]] = field(default_factory=list[tuple[torch.Tensor, int]])
    squares: list[_Sum] = field(default_factory=list[_Sum])  # of the losses of single samples
    right: list[_Sum] = field(default_factory=list[_Sum])
    asked: int = 0
    met: int = 0
    windows: int = 0
    moved: int = 0  # of these, those that are training windows a place earlier or later
    elsewhere: bool = False  # its samples come from a data set of their own


class EvaluationProbe:
    """Gathers what runs without gradients into passes; a step ends them."""

    writes = ("evaluations",)

    def __init__(self, measured: Measured, samples: SampleProbe, held_out: HeldOutProbe) -> None:
        self._measured = measured
        self._samples = samples
        self._passes: list[_Pass] = []
        self._batches = 0  # in this evaluation
        self._tokens: torch.Tensor | None = (
            None  # the newest ones, and what they counted for, until they are taken back
        )
        self._counted: tuple[_Pass, int, int, int] | None = None
        self._held_out = held_out
        self.running = False
        self._answer: tuple[_Pass, torch.Tensor, torch.Tensor] | None = None  # to the newest batch, and its labels

    def forward(self, inputs: torch.Tensor | None, *, training: bool) -> None:
        """A forward pass without gradients begins. What a net makes up itself, token by token, is no test data."""
        if self._is_made_up(inputs):
            return
        known: bool | None = None
        asked = met = windows = moved = 0
        self._batches += 1
        self.running = True
        self._held_out.sees(inputs, self._measured.step)
        size = len(inputs) if inputs is not None and inputs.dim() else 1
        if inputs is not None and self._looks():
            asked, met = self._samples.overlap(inputs)
            windows, moved = self._samples.neighbours(inputs) if not met else (0, 0)
            known = None if not asked or 0.3 * asked < met < 0.95 * asked else met > 0.5 * asked
        now = self._passes[-1] if self._passes else None
        # A batch wholly known after ones that were not, or the reverse, begins another pass: the training data scored
        # beside the held-out ones.
        fresh = now is None or now.training != training or (now.last < now.largest and size > now.last)
        if now is not None and known is not None and now.known is not None and not self._held_out.goes_on:
            fresh = fresh or known != now.known
        if fresh:
            now = _Pass(training, known, elsewhere=self._held_out.elsewhere)
            self._passes.append(now)
        assert now is not None
        now.known = known if now.known is None else now.known
        now.batches += 1
        now.samples += size
        now.last, now.largest = size, max(size, now.largest)
        now.smallest = min(size, now.smallest or size)
        now.asked += asked
        now.met += met
        now.windows += windows
        now.moved += moved
        self._counted = now, size, asked, met

    def answered(self, output: Any) -> None:
        """That pass has ended. Where no loss is computed of it, the labels that its caller has beside its inputs tell
        the accuracy."""
        self._count_right()
        if not self._passes or type(output) is not torch.Tensor or output.dim() != 2 or unreadable(output):
            return
        if output.shape[1] < 2 or not output.dtype.is_floating_point or self._measured.labels.kind != "classes":
            return
        labels = labels_under_way(len(output))
        if labels is not None and not unreadable(labels):
            self._answer = self._passes[-1], output.detach(), labels
            self._held_out.labelled(labels)

    def _count_right(self) -> None:
        """No loss came for the newest batch."""
        waiting, self._answer = self._answer, None
        if waiting is not None and waiting[0].batches <= _MOST_BATCHES:
            now, output, labels = waiting
            now.right.append(((output.argmax(1) == labels.to(output.device)).sum(), _scored(labels)))

    def _is_made_up(self, inputs: torch.Tensor | None) -> bool:
        """Whether these tokens are the ones before with a new one at the end; those are then taken back too."""
        before, self._tokens = self._tokens, None
        if inputs is None or unreadable(inputs) or inputs.dim() != 2 or not inputs.numel():
            return False
        if inputs.dtype.is_floating_point:
            return False
        self._tokens = inputs[:_ROWS_COMPARED].detach().clone()
        if before is None or len(before) != len(self._tokens) or not _goes_on(before, self._tokens):
            return False
        self.running = True
        if self._counted:
            self._uncount(*self._counted)
        return True

    def _uncount(self, counted: _Pass, size: int, asked: int, met: int) -> None:
        self._counted = None
        counted.batches -= 1
        counted.samples -= size
        counted.asked -= asked
        counted.met -= met
        if not counted.batches:
            self._passes = [one for one in self._passes if one is not counted]

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
        self._held_out.lost(call)
        if call.kind == "classes":
            self._answer = None
        if unreadable(result) or unreadable(outputs) or unreadable(targets):
            return
        size = len(outputs) if outputs.dim() else 1
        if result.numel() == 1:
            now.losses.append((result.detach() / size if call.summed else result.detach(), size))
            each = sample_losses(call)
            if each is not None:
                squares = each.square()
                scored = _scored(targets) if call.kind == "classes" else squares.new_tensor(squares.numel())
                now.squares.append((squares.sum(), scored))
        elif call.single and result.numel() == len(targets):
            single = result.detach()
            scored = _scored(targets) if call.kind == "classes" else single.new_tensor(single.numel())
            now.losses.append((single.sum() / scored, size))
            now.squares.append((single.square().sum(), scored))
        if call.kind == "classes" and outputs.dim() == 2 and targets.dim() == 1:
            now.right.append(((outputs.detach().argmax(1) == targets).sum(), _scored(targets)))

    def withdraw(self) -> None:
        """The newest batch was one of training after all."""
        if self._passes:
            self._passes[-1].batches -= 1
            if not self._passes[-1].batches:
                self._passes.pop()

    def end(self, step: int) -> None:
        """A step has begun, or the block has ended: the passes are over."""
        self._count_right()
        overlaps = [one.met / one.asked for one in self._passes if one.asked]
        self._held_out.end(step, max(overlaps, default=math.nan))
        for one in self._passes:
            overlap = one.met / one.asked if one.asked else math.nan
            loss, right, error = _mean(one.losses), _share(one.right), _error(one)
            neighbours = one.moved / one.windows if one.windows else math.nan
            found = Evaluation(step, one.batches, one.samples, loss, right, one.training, overlap, error)
            found = replace(
                found, smallest=one.smallest, largest=one.largest, neighbours=neighbours, plain=_plain_mean(one.losses)
            )
            self._measured.evaluations.append(replace(found, elsewhere=one.elsewhere))
        del self._measured.evaluations[: max(0, len(self._measured.evaluations) - _MOST)]
        self._passes.clear()
        self._tokens = self._counted = None
        self.running = False
        self._batches = 0


def _plain_mean(entries: list[tuple[torch.Tensor, int]]) -> float:
    """The mean of the batches' means, whatever their sizes."""
    return float(torch.stack([value.double() for value, _ in entries]).mean()) if entries else math.nan


def _mean(entries: list[tuple[torch.Tensor, int]]) -> float:
    if not entries:
        return math.nan
    values = torch.stack([value.double() for value, _ in entries]).tolist()
    return sum(value * size for value, (_, size) in zip(values, entries, strict=True)) / sum(n for _, n in entries)


def _share(entries: list[_Sum]) -> float:
    total, scored = _sums(entries)
    return total / scored if scored else math.nan


def _sums(entries: list[_Sum]) -> tuple[float, float]:
    if not entries:
        return 0.0, 0.0
    total, scored = (torch.stack([one.double() for one in column]).sum() for column in zip(*entries, strict=True))
    return float(total), float(scored)


def _scored(targets: torch.Tensor) -> torch.Tensor:
    """How many samples have a class: an index to be ignored is below 0."""
    return (targets >= 0).sum()


def _goes_on(before: torch.Tensor, now: torch.Tensor) -> bool:
    """Whether rows of tokens [B, T] have grown by one place, or moved on by one with the rest staying as it was."""
    grown = now.shape[1] == before.shape[1] + 1 and torch.equal(now[:, :-1], before)
    moved = now.shape[1] == before.shape[1] > 1 and torch.equal(now[:, :-1], before[:, 1:])
    return grown or moved


def _error(one: _Pass) -> float:
    """The standard error of the mean loss; NaN where the losses of single samples are not known."""
    if len(one.squares) < len(one.losses):
        return math.nan
    squares, scored = _sums(one.squares)
    if not scored:
        return math.nan
    variance = squares / scored - _mean(one.losses) ** 2
    return math.sqrt(max(variance, 0.0) / scored) if math.isfinite(variance) else math.nan


def sample_losses(call: LossCall) -> torch.Tensor | None:
    """The loss of each sample, of which the call gave the mean; None for losses and shapes that are not known. That of
    a sample without a class is 0.

    >>> logits, labels = torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 0])
    >>> sample_losses(LossCall("cross_entropy_loss", "classes", logits, labels, False, False)).round(decimals=3)
    tensor([0.6930, 0.0000])
    """
    outputs, targets = call.outputs.detach(), call.targets
    if call.weighted:
        return None
    if call.kind == "classes":
        if outputs.dim() != 2 or targets.dim() != 1 or targets.dtype.is_floating_point:
            return None
        chosen = outputs.gather(1, targets[:, None].long().clamp(min=0)).squeeze(1)
        losses = (outputs.logsumexp(1) - chosen) if call.name == "cross_entropy_loss" else -chosen
        return losses.masked_fill(targets < 0, 0.0)
    if outputs.shape != targets.shape:
        return None
    if call.name == "binary_cross_entropy_with_logits":
        return torch.nn.functional.softplus(outputs) - outputs * targets
    if call.name == "mse_loss":
        return (outputs - targets).square()
    return (outputs - targets).abs() if call.name == "l1_loss" else None
