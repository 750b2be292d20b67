"""The targets as they come to the loss: which there are, how they are spread over the batches, what was answered."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.tracing import all_tensors, unreadable

_MOST_BATCHES = 200
_MOST_CLASSES = 1_000
_MOST_LABELS = 4_096
_MOST_ROWS, _MOST_PLACES = 64, 65_536  # of a batch with many labels a sample
_MOST_WHOLE = 64  # different whole numbers among targets that are counted
_PENDING = 50
_MOST_ANSWERS = 200
_FEWEST_PULLS = 3  # samples of a class


class LabelProbe:
    """Counts labels batch by batch; the tensors wait and are read fifty at a time."""

    writes = ("labels",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._pending: list[torch.Tensor] = []
        self._sums: list[
            torch.Tensor
        ] = []  # the mean labels (or the shares of the classes) of some batches, a row each
        self._sizes: list[float] = []
        self._answers: torch.Tensor | None = None  # [class, answer], newer batches counting more
        self._squares = 0.0
        self._tags: torch.Tensor | None = None  # positive ones, by output
        self._tagged = 0
        self._place = 0  # in memory, of the targets seen last
        self._plain: tuple[Any, ...] | None = None  # the form of those, where they are classes in one row
        self._pulls: dict[int, tuple[float, float, int]] = {}
        self.closed = False

    def computed(
        self, call: LossCall, step: int, inputs: torch.Tensor | None, given: Any = None, within: bool = True
    ) -> None:
        """A loss function of torch has answered in a training pass over `inputs`, in the midst of a call that was
        `given` so much, if any is under way; `within` a step in which the net was called."""
        kind, targets, outputs = call.kind, call.targets, call.outputs
        if step > 3 and self._plain == _form(call):
            self._place = targets.data_ptr()
            self._pending.append(targets.clone())
            if len(self._pending) >= _PENDING:
                self.flush()
            return
        self._plain = None
        if kind == "numbers" and not self._are_data(targets, given, within=within):
            return
        reason = unreadable(targets) or unreadable(outputs)
        if reason:
            self._measured.unread["labels"] = reason
            return
        self._measured.unread.pop("labels", None)
        if kind == "alignment":  # [T, N, V] of CTC, whose targets are rows of other lengths
            if step <= 3 and outputs.dim() in (2, 3):
                self._measured.alignment_sum = float(outputs.detach().exp().sum(-1).mean())
            return
        if kind == "divergence":
            if step <= 3 and outputs.dim() == 2:
                self._measured.divergence_sum = float(outputs.detach().exp().sum(1).mean())
            return
        if not targets.dim() or (kind == "classes" and targets.dtype.is_floating_point):
            return
        if targets.requires_grad:  # two answers that are drawn together
            return
        known = inputs is not None and inputs.dim()
        samples = len(inputs) if inputs is not None and known else len(targets)
        dense = kind == "classes" and (targets.dim() > 1 or len(targets) != samples)
        dense = dense or (not known and self._measured.labels.dense)  # of an ordinary step the inputs are not heard
        count = outputs.shape[1] if kind == "classes" and outputs.dim() > 1 else 2
        self.see(kind, count, targets, step, dense=dense, weighted=call.weighted)
        if kind == self._measured.labels.kind and targets.dim() == 1 and len(targets) <= _MOST_LABELS:
            self._plain = _form(call) if targets.dtype is torch.int64 else None
        if step <= 3 and call.ignored is not None and call.ignored >= 0:
            self._measured.labels.ignored = call.ignored
        if step <= 3 and call.weights is not None and call.name != "binary_cross_entropy":
            self._measured.labels.weights = _weights(call.weights)

    def _are_data(self, targets: torch.Tensor, given: Any, *, within: bool) -> bool:
        """Whether numbers are data: not the targets of another net that is trained in turn, nor made by the net
        itself in its forward pass, as what a codebook is drawn to."""
        if given is not None and not unreadable(targets):
            self._measured.labels.made = not _is_among(targets, given)
        return not self._measured.labels.made and (within or not self._measured.foreign_steps)

    def refused(self, call: LossCall, step: int) -> None:
        """A loss function of torch has raised."""
        targets, outputs = call.targets.detach(), call.outputs.detach()
        if not targets.numel() or not outputs.numel() or unreadable(targets) or unreadable(outputs):
            return
        self._measured.refused = call.name
        self._measured.refused_low, self._measured.refused_high = float(outputs.min()), float(outputs.max())
        facts = self._measured.labels
        facts.kind = call.kind
        facts.outputs = outputs.shape[1] if outputs.dim() > 1 else 1
        facts.low, facts.high = float(targets.min()), float(targets.max())
        if facts.kind == "classes" and (facts.high >= facts.outputs or facts.low < 0):
            facts.out_of_range = step

    def see(self, kind: str, outputs: int, targets: torch.Tensor, step: int, *, dense: bool, weighted: bool) -> None:
        """Take up the targets of one loss: "classes" (int64), "binary" (0 to 1) or "numbers"."""
        facts = self._measured.labels
        if facts.kind and facts.kind != kind:
            return
        facts.kind, facts.outputs, facts.dense = kind, max(outputs, facts.outputs), dense
        facts.weighted = facts.weighted or weighted
        targets = targets.detach().as_subclass(torch.Tensor)
        self._place = targets.data_ptr()
        most = _MOST_LABELS if targets.dim() == 1 else _MOST_PLACES * len(targets) // max(1, targets.numel())
        part = targets[: most if targets.dim() == 1 else min(max(1, most), _MOST_ROWS)]
        # The loop may fill the same tensor again before this is read.
        self._pending.append(part.clone() if part.dtype.is_floating_point else part.to(torch.int64, copy=True))
        if step <= 3 or len(self._pending) >= _PENDING:
            self.flush()

    def pulled(self, pulls: Mapping[int, tuple[float, float, int]]) -> None:
        """So much the gradients of samples of each class have in common with those of a loss without weights."""
        for label, (both, size, count) in pulls.items():
            before = self._pulls.get(label, (0.0, 0.0, 0))
            self._pulls[label] = before[0] + both, before[1] + size, before[2] + count
        self._measured.labels.pulls = {
            label: both / size for label, (both, size, count) in self._pulls.items() if size and count >= _FEWEST_PULLS
        }

    def are(self, targets: torch.Tensor) -> bool:
        """Whether these are the targets that were seen last."""
        return bool(self._place) and targets.data_ptr() == self._place

    def flush(self) -> None:
        """Read what is waiting."""
        facts = self._measured.labels
        waiting = [targets for targets in self._pending if targets.numel()]
        self._pending.clear()
        if not waiting:
            return
        same = [one for one in waiting if one.shape == waiting[0].shape]
        for group in (same, *([one] for one in waiting if one.shape != waiting[0].shape)):
            targets = torch.stack(group)
            low, high = _bounds(targets)
            facts.low, facts.high = min(facts.low, low), max(facts.high, high)
            facts.seen += targets.numel()
            facts.batches += len(group)
            self.closed = facts.batches >= _MOST_BATCHES
            if facts.kind == "numbers":
                for one in group:
                    self._add_numbers(one)
            elif not (facts.kind == "binary" and group[0].dim() > 1 and group[0].shape[-1] > 1):
                self._add_classes(targets.flatten(1))
            elif group[0].dim() == 2:
                self._add_tags(targets)

    def _add_classes(self, targets: torch.Tensor) -> None:
        """Count the labels of batches [B, N]; what is no class (such as an index to be ignored) is left out."""
        facts = self._measured.labels
        classes = max(2, min(facts.outputs, _MOST_CLASSES))
        labels = targets if not targets.dtype.is_floating_point else targets.round().long()
        declared = self._measured.declared
        if declared is not None and declared.ignored is not None:
            left_out = labels == declared.ignored
            self._measured.labels.left_out += int(left_out.sum())
            labels = labels.masked_fill(left_out, -1)
        counted = (
            labels.clamp(-1, classes) + 1 + (classes + 2) * torch.arange(len(labels), device=labels.device)[:, None]
        )
        table = torch.bincount(counted.flatten(), minlength=(classes + 2) * len(labels)).view(len(labels), -1)
        counts = table[:, 1:-1].double().cpu()
        facts.uncounted += int(table[:, -1].sum())
        for label, count in enumerate(counts.sum(0).tolist()):
            if count:
                facts.counts[label] = facts.counts.get(label, 0) + int(count)
        sizes = counts.sum(1)
        if not facts.dense and bool((sizes > 0).all()):
            self._sums.append(counts / sizes[:, None])
            self._sizes += sizes.tolist()

    def _add_tags(self, targets: torch.Tensor) -> None:
        """How frequent each of several yes or no is, in batches [B, N, K]."""
        sums = targets.double().flatten(0, 1).sum(0).cpu()
        rows = targets.shape[0] * targets.shape[1]
        if self._tags is not None and len(self._tags) == len(sums):
            sums, rows = sums + self._tags, rows + self._tagged
        self._tags, self._tagged = sums, rows
        self._measured.labels.tags = tuple((sums / rows).tolist()) if len(sums) <= _MOST_CLASSES else ()

    def _add_numbers(self, targets: torch.Tensor) -> None:
        facts = self._measured.labels
        column = targets.double().flatten(1).mean(1) if targets.dim() > 1 else targets.double().flatten()
        column = column[torch.isfinite(column)]
        if len(column):
            self._sums.append(column.mean().reshape(1, 1).cpu())
            self._sizes.append(float(len(column)))
            self._squares += float(column.square().sum())
        whole = column.round()
        if len(facts.counts) <= _MOST_WHOLE and bool((column == whole).all()) and targets.numel() == len(targets):
            for value, count in zip(*(one.tolist() for one in whole.unique(return_counts=True)), strict=True):
                facts.counts[int(value)] = facts.counts.get(int(value), 0) + count

    def spread(self) -> None:
        """Bring up to date the variance between batches, against what drawing at random would give, and how far
        neighbours resemble each other."""
        self._read_answers()
        if len(self._sizes) < 6 or len({part.shape[1] for part in self._sums}) != 1:
            return
        facts = self._measured.labels
        rows, sizes = torch.cat(self._sums), torch.tensor(self._sizes, dtype=torch.float64)
        whole = (rows * sizes[:, None]).sum(0) / sizes.sum()
        apart = rows - whole
        between = float((apart.square().sum(1) * sizes).mean())
        if facts.kind == "numbers":
            within = self._squares / float(sizes.sum()) - float(whole[0]) ** 2
            facts.mean, facts.std = float(whole[0]), math.sqrt(max(0.0, within))
            facts.moved = _moved(rows[:, 0])
        else:
            within = float((whole * (1 - whole)).sum())
        if within > 0:
            facts.excess = between / within
            level = float(apart.square().sum(1).mean())
            facts.drift = float((apart[1:] * apart[:-1]).sum(1).mean()) / level if level > 0 else 0.0

    def see_answers(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Compare a batch of scores [N, C], or logits [N] of a binary loss, with its classes [N]; what is no class
        (such as an index to be ignored) is left out."""
        answers = (outputs > 0).flatten().long() if outputs.dim() == 1 or outputs.shape[1] == 1 else outputs.argmax(1)
        targets = targets.flatten()
        targets = targets.round().long() if targets.dtype.is_floating_point else targets.long()
        if answers.shape != targets.shape:
            return
        left_out = targets < 0
        if bool(left_out.any()):
            answers, targets = answers[~left_out], targets[~left_out]
        if not len(targets):
            return
        self._measured.accuracy.add(float((answers == targets).float().mean()))
        self._measured.accuracy_samples = len(targets)
        size = max(self._measured.labels.outputs, 2)
        if size <= _MOST_ANSWERS:
            pairs = targets.clamp(max=size - 1) * size + answers.clamp(max=size - 1)
            table = torch.bincount(pairs, minlength=size * size).view(size, size).double()
            self._answers = table if self._answers is None else 0.9 * self._answers + table

    def _read_answers(self) -> None:
        if self._answers is None:
            return
        facts = self._measured.labels
        for counts, values in (
            (facts.predicted, self._answers.sum(0)),
            (facts.actual, self._answers.sum(1)),
            (facts.hits, self._answers.diagonal()),
        ):
            counts.clear()
            counts.update((label, count) for label, count in enumerate(values.tolist()) if count)


def _is_among(targets: torch.Tensor, given: Any) -> bool:
    """Whether a tensor is one of these, or a part of one."""
    storage = targets.untyped_storage().data_ptr()
    return any(one.untyped_storage().data_ptr() == storage for one in all_tensors(given) if not unreadable(one))


def _form(call: LossCall) -> tuple[Any, ...]:
    """What two calls share of which the one needs no other look than the other."""
    targets, outputs = call.targets, call.outputs
    return call.kind, type(targets), targets.dtype, targets.shape, type(outputs), outputs.shape, call.weighted


def _weights(weights: torch.Tensor) -> tuple[float, ...]:
    readable = not unreadable(weights) and weights.numel() <= _MOST_CLASSES
    return tuple(float(one) for one in weights.detach().flatten().tolist()) if readable else ()


def _bounds(targets: torch.Tensor) -> tuple[float, float]:
    """The lowest and the highest target, but for what is no number."""
    low, high = (float(one) for one in torch.aminmax(targets))
    if math.isnan(low):
        targets = targets[~targets.isnan()]
        return (float(targets.min()), float(targets.max())) if len(targets) else (math.inf, -math.inf)
    return low, high


def _moved(means: torch.Tensor) -> float:
    """How far the means of the batches [B] lie apart in their first and their last third, in standard errors."""
    third = len(means) // 3
    if third < 8:
        return 0.0
    first, last = means[:third], means[-third:]
    error = math.sqrt(float(first.var() + last.var()) / third)
    return abs(float(last.mean() - first.mean())) / error if error > 0 else 0.0
