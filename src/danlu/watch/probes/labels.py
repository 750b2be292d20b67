"""The targets as they come to the loss: which there are, how they are spread over the batches, what was answered."""

import math

import torch

from danlu.watch.measured import Labels, Measured

_MOST_BATCHES = 400
_MOST_CLASSES = 1_000
_MOST_LABELS = 4_096
_MOST_WHOLE = 64  # different whole numbers among targets that are counted
_PENDING = 16
_RECENT = 4_096


class LabelProbe:
    """Counts labels batch by batch; the tensors wait and are read sixteen at a time."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._pending: list[torch.Tensor] = []
        self._sums: list[torch.Tensor] = []  # the mean label (or the shares of the classes) of each batch
        self._sizes: list[int] = []
        self._squares = 0.0

    def see(self, kind: str, outputs: int, targets: torch.Tensor, step: int, *, dense: bool, weighted: bool) -> None:
        """Take up the targets of one loss: "classes" (int64), "binary" (0 to 1) or "numbers"."""
        facts = self._measured.labels
        if facts.kind and facts.kind != kind:
            return
        facts.kind, facts.outputs, facts.dense = kind, max(outputs, facts.outputs), dense
        facts.weighted = facts.weighted or weighted
        if len(self._sizes) + len(self._pending) >= _MOST_BATCHES:
            return
        targets = targets.detach()
        self._pending.append(targets[: _MOST_LABELS if targets.dim() == 1 else 64])
        if step <= 3 or len(self._pending) >= _PENDING:
            self.flush()

    def flush(self) -> None:
        """Read what is waiting."""
        facts = self._measured.labels
        for targets in self._pending:
            if targets.numel() == 0:
                continue
            low, high = torch.aminmax(targets)
            facts.low, facts.high = min(facts.low, float(low)), max(facts.high, float(high))
            facts.seen += targets.numel()
            facts.batches += 1
            if facts.kind == "numbers":
                self._add_numbers(targets)
            else:
                self._add_classes(targets)
        self._pending.clear()
        self._spread()

    def _add_classes(self, targets: torch.Tensor) -> None:
        facts = self._measured.labels
        if facts.kind == "binary" and targets.dim() > 1 and targets.shape[-1] > 1:
            return  # several labels a sample
        valid = targets.flatten().round().long()
        valid = valid[(valid >= 0) & (valid < _MOST_CLASSES)]
        counts = torch.bincount(valid, minlength=max(2, min(facts.outputs, _MOST_CLASSES))).cpu()
        for label, count in enumerate(counts.tolist()):
            if count:
                facts.counts[label] = facts.counts.get(label, 0) + count
        if not facts.dense and len(valid):
            self._sums.append(counts.double() / len(valid))
            self._sizes.append(len(valid))

    def _add_numbers(self, targets: torch.Tensor) -> None:
        facts = self._measured.labels
        column = targets.double().flatten(1).mean(1) if targets.dim() > 1 else targets.double().flatten()
        column = column[torch.isfinite(column)]
        if len(column):
            self._sums.append(column.mean().reshape(1).cpu())
            self._sizes.append(len(column))
            self._squares += float(column.square().sum())
        whole = column.round()
        if len(facts.counts) <= _MOST_WHOLE and bool((column == whole).all()) and targets.numel() == len(targets):
            for value, count in zip(*(one.tolist() for one in whole.unique(return_counts=True)), strict=True):
                facts.counts[int(value)] = facts.counts.get(int(value), 0) + count

    def _spread(self) -> None:
        """Variance between batches against what drawing at random would give, and how far neighbours resemble."""
        if len(self._sizes) < 6 or len({len(row) for row in self._sums}) != 1:
            return
        facts = self._measured.labels
        rows, sizes = torch.stack(self._sums), torch.tensor(self._sizes, dtype=torch.float64)
        whole = (rows * sizes[:, None]).sum(0) / sizes.sum()
        apart = rows - whole
        between = float((apart.square().sum(1) * sizes).mean())
        if facts.kind == "numbers":
            within = self._squares / float(sizes.sum()) - float(whole[0]) ** 2
            facts.mean, facts.std = float(whole[0]), math.sqrt(max(0.0, within))
        else:
            within = float((whole * (1 - whole)).sum())
        if within > 0:
            facts.excess = between / within
            level = float(apart.square().sum(1).mean())
            facts.drift = float((apart[1:] * apart[:-1]).sum(1).mean()) / level if level > 0 else 0.0


def see_answers(measured: Measured, outputs: torch.Tensor, targets: torch.Tensor) -> None:
    """Compare a batch of scores [N, C], or logits [N] of a binary loss, with its classes [N]."""
    facts: Labels = measured.labels
    answers = (outputs > 0).flatten().long() if outputs.dim() == 1 or outputs.shape[1] == 1 else outputs.argmax(1)
    targets = targets.flatten().round().long()
    if answers.shape != targets.shape or len(answers) > _RECENT:
        return
    right = answers == targets
    measured.accuracy.add(float(right.float().mean()))
    size = max(facts.outputs, 2)
    if size > _MOST_CLASSES or int(targets.min()) < 0 or int(targets.max()) >= size or int(answers.max()) >= size:
        return
    for counts, labels in ((facts.predicted, answers), (facts.actual, targets), (facts.hits, targets[right])):
        for label, count in enumerate(torch.bincount(labels, minlength=size).tolist()):
            # Newer batches count more: what was answered in the first steps is soon forgotten.
            counts[label] = round(0.9 * counts.get(label, 0) + count * 100)
