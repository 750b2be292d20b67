"""Metrics by task, streamed over batches by torchmetrics."""

import functools
import math
from typing import Any

import torch

from danlu.train.predictions import predicted


class Metrics:
    """Accuracy and macro F1 for classification; R², mean absolute and root mean squared error for regression, the last
    two for reconstruction; perplexity, the exponential of the mean loss in nats a token, for language.

    `scale` is the unit of the regression targets that were standardised for training, [T] or None: errors are reported
    in the target's own unit. What is predicted outside of `bounds`, [2, T] or None, counts as the nearer one. Sums are
    kept in float64.

    >>> metrics = Metrics("classification", 2)
    >>> metrics.update(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1]))
    >>> metrics.compute(0.6)["accuracy"]
    0.5
    """

    def __init__(
        self, task: str, outputs: int, scale: torch.Tensor | None = None, bounds: torch.Tensor | None = None
    ) -> None:
        self._task = task
        self._scale = None if scale is None else scale.double()
        self._bounds = None if bounds is None else bounds.double()
        self._metrics = _make(task, outputs)
        self._samples = 0

    def update(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Count a batch: outputs [N, C] or [N, T] (one logit: [N, 1]), targets [N] or [N, T]."""
        self._samples += len(targets)
        if not self._metrics:
            return
        outputs = predicted(outputs, self._task, targets[0].numel())
        if self._task != "classification":
            outputs, targets = outputs.double(), targets.double()
            if self._bounds is not None:
                low, high = self._bounds.to(outputs.device)
                outputs = outputs.clamp(low, high)
            if self._scale is not None:
                scale = self._scale.to(outputs.device)
                outputs, targets = outputs * scale, targets * scale
        for metric in self._metrics.values():
            metric.to(outputs.device).update(outputs, targets)

    def compute(self, loss: float) -> dict[str, float]:
        """The numbers over all batches since the last `compute`; `loss` is the mean of the same."""
        if self._task == "language":
            return {"perplexity": math.exp(min(loss, _MOST)) if loss == loss else loss}
        names = [name for name in self._metrics if name != "r2" or self._samples > 1]
        values = {name: self._metrics[name].compute() for name in names}
        self.reset()
        return _rates(values["counts"]) if "counts" in values else {name: float(values[name]) for name in names}

    def reset(self) -> None:
        """Forget the batches counted so far."""
        for metric in self._metrics.values():
            metric.reset()
        self._samples = 0


def _rates(counts: torch.Tensor) -> dict[str, float]:
    """Accuracy and macro F1 from [C, 5] counts: true and false positives, true and false negatives, support.

    In float64, which torchmetrics' own are not. A class that neither the targets nor the guesses have has no F1.
    """
    true, false, _, missed, support = counts.double().unbind(1)
    met = true + false + missed > 0
    f1 = 2 * true[met] / (2 * true + false + missed)[met]
    return {"accuracy": float(true.sum() / support.sum()), "f1": float(f1.mean())}


_MOST = 700.0  # beyond e to this power a float64 overflows


@functools.cache
def _torchmetrics() -> Any:
    import torchmetrics  # here, because it takes longer to import than all of danlu

    return torchmetrics


def _make(task: str, outputs: int) -> dict[str, Any]:
    if task == "language":
        return {}
    library = _torchmetrics()
    if task == "classification":
        classes = max(2, outputs)
        kinds = library.classification
        return {"counts": kinds.MulticlassStatScores(num_classes=classes, average=None, validate_args=False)}
    metrics = {"mae": library.MeanAbsoluteError(), "rmse": library.MeanSquaredError(squared=False)}
    if task == "regression":
        metrics = {"r2": library.R2Score(multioutput="uniform_average"), **metrics}
    for metric in metrics.values():
        metric.set_dtype(torch.float64)
    return metrics
