"""Metrics by task, streamed over batches: the sums that torchmetrics keeps, for to import that takes seconds."""

import math
from collections.abc import Sequence

import torch

from danlu.base.records import Score
from danlu.train.class_counts import ClassCounts
from danlu.train.label_scores import LabelScores
from danlu.train.place_scores import PlaceScores
from danlu.train.predictions import predicted
from danlu.train.rare_class import RareScores
from danlu.train.text_scores import TextScores


class Metrics:
    """Accuracy and macro F1 for classification; R², mean absolute and root mean squared error for regression, the last
    two for reconstruction; perplexity, the exponential of the mean loss in nats a token, for language; for several
    labels a sample what `danlu.train.label_scores` counts, with `thresholds` of their probabilities, [L]; for a
    class a pixel, or a tag a token, what `danlu.train.place_scores` does; for translation the share of tokens that are
    right where all before them are told, and what `danlu.train.text_scores` counts. Where a class
    is `rare`, balanced accuracy (the mean of the classes' recalls) and the average precision of that class too.

    `scale` is the unit of the regression targets that were standardised for training, [T] or None: errors are reported
    in the target's own unit, and of several targets their mean. What is predicted outside of `bounds`,
    [2, T] or None, counts as the nearer one. Sums are kept in float64. With `names` of the targets, or labels,
    each has scores of its own besides: "r2.height". `naive` is the mean absolute error of the naive forecast on a time
    series' training part: with it there is the mean absolute scaled error too (Hyndman and Koehler 2006,
    https://doi.org/10.1016/j.ijforecast.2006.03.001).

    >>> metrics = Metrics("classification", 2)
    >>> metrics.update(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
    >>> metrics.compute(0.6)["accuracy"]
    0.5
    """

    def __init__(
        self,
        task: str,
        outputs: int,
        scale: torch.Tensor | None = None,
        bounds: torch.Tensor | None = None,
        rare: int | None = None,
        *,
        thresholds: torch.Tensor | None = None,
        names: Sequence[str] = (),
        naive: float | None = None,
    ) -> None:
        self._task = task
        self._scale = None if scale is None else scale.double()
        self._bounds = None if bounds is None else bounds.double()
        self._outputs = outputs
        self._thresholds = thresholds
        self._names = names
        self._rare = rare
        self._naive = naive
        self._sums = self._new_sums()

    def update(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Count a batch: outputs [N, C] or [N, T] (one logit: [N, 1]), targets [N] or [N, T]."""
        if self._sums is None:
            return
        if self._of_rare is not None:
            self._of_rare.add(outputs, targets)
        outputs = predicted(outputs, self._task, targets[0].numel())
        if self._task not in _OF_CLASSES:
            outputs, targets = outputs.double(), targets.double()
            if self._bounds is not None:
                low, high = self._bounds.to(outputs.device)
                outputs = outputs.clamp(low, high)
            if self._scale is not None:
                scale = self._scale.to(outputs.device)
                outputs, targets = outputs * scale, targets * scale
        self._sums.add(outputs, targets)

    def translated(self, written: torch.Tensor, targets: torch.Tensor) -> None:
        """Count texts that were written token by token: see `TextScores`."""
        self._texts.add(written, targets)

    def compute(self, loss: float) -> Score:
        """The numbers over all batches since the last `compute`; `loss` is the mean of the same."""
        if self._sums is None:
            return {"perplexity": math.exp(min(loss, _MOST)) if loss == loss else loss}
        numbers = {**self._sums.result(), **self._texts.result()}
        if self._of_rare is not None:
            numbers["average_precision"] = self._of_rare.result()
        self.reset()
        return numbers

    def reset(self) -> None:
        """Forget the batches counted so far."""
        self._sums = self._new_sums()

    def _new_sums(self) -> "_Classes | _Numbers | _Tokens | LabelScores | PlaceScores | None":
        self._of_rare = None if self._rare is None else RareScores(self._rare)
        self._texts = TextScores()
        if self._task == "language":
            return None
        if self._task == "classification":
            return _Classes(max(2, self._outputs), balances=self._rare is not None)
        if self._task == "multi-label":
            return LabelScores(self._outputs, self._thresholds, self._names)
        if self._task in ("segmentation", "tagging"):
            return PlaceScores(self._outputs, self._names, unions=self._task == "segmentation")
        if self._task == "translation":
            return _Tokens()
        return _Numbers(self._names, explains=self._task == "regression", naive=self._naive)


class _Classes:
    """For each class how often it was right, how often guessed, and how often there."""

    def __init__(self, classes: int, *, balances: bool) -> None:
        self._balances = balances
        self._counts = ClassCounts(classes)

    def add(self, guesses: torch.Tensor, targets: torch.Tensor) -> None:
        self._counts.add(guesses, targets)

    def result(self) -> Score:
        """Accuracy and macro F1, in float64. A class that neither the targets nor the guesses have has no F1, and one
        that the targets have not has no recall."""
        right, guessed, there = self._counts.read()
        met = guessed + there > 0
        f1 = 2 * right[met] / (guessed + there)[met]
        score = {"accuracy": float(right.sum() / there.sum()), "f1": float(f1.mean())}
        if self._balances:
            score["balanced_accuracy"] = float((right / there)[there > 0].mean())
        return score


class _Tokens:
    """How many of the tokens are right."""

    def __init__(self) -> None:
        self._right = self._there = 0

    def add(self, guesses: torch.Tensor, targets: torch.Tensor) -> None:
        known = targets >= 0
        self._right += int((guesses[known] == targets[known]).sum())
        self._there += int(known.sum())

    def result(self) -> Score:
        return {"accuracy": self._right / self._there if self._there else math.nan}


class _Numbers:
    """Sums of errors and, where the share of the variance that is explained is asked for, of the targets: [T] each."""

    def __init__(self, names: Sequence[str] = (), *, explains: bool, naive: float | None = None) -> None:
        self._explains = explains
        self._naive = naive
        self._names = names
        self._samples = 0
        self._sizes = self._squares = torch.zeros((), dtype=torch.float64)
        self._targets = self._target_squares = torch.zeros((), dtype=torch.float64)

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        device, errors = targets.device, targets - outputs
        self._samples += len(targets)
        self._sizes = self._sizes.to(device) + errors.abs().sum(0)
        self._squares = self._squares.to(device) + errors.square().sum(0)
        if self._explains:
            self._targets = self._targets.to(device) + targets.sum(0)
            self._target_squares = self._target_squares.to(device) + targets.square().sum(0)

    def result(self) -> Score:
        """Mean absolute and root mean squared error, before them R²: the mean over all targets of a regression. Of a
        sample that is given back the square is averaged over its numbers before the root is taken.
        """
        mean_squares = self._squares / self._samples
        each = {"mae": self._sizes / self._samples, "rmse": mean_squares.sqrt()}
        if self._explains and self._samples > 1:
            each = {"r2": self._explained(), **each}
        if self._naive is not None:
            each["mase"] = each["mae"] / self._naive
        score = {name: float(values.mean()) for name, values in each.items()}
        if not self._explains:
            score["rmse"] = float(mean_squares.mean().sqrt())
        for at, target in enumerate(self._names):
            score |= {f"{name}.{target}": float(values[at]) for name, values in each.items()}
        return score

    def _explained(self) -> torch.Tensor:
        spread = self._target_squares - self._targets * (self._targets / self._samples)
        # As torchmetrics has it: targets that do not vary are explained in full or not at all.
        flat, exact = spread.abs() <= _NOTHING, self._squares.abs() <= _NOTHING
        return torch.where(exact, 1.0, torch.where(flat, 0.0, 1 - self._squares / spread))


_OF_CLASSES = ("classification", "segmentation", "tagging", "translation")
_MOST = 700.0  # beyond e to this power a float64 overflows
_NOTHING = 1e-4
