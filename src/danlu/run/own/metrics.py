"""A user's metrics of a part of the data, beside danlu's own."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import UserError, fail
from danlu.base.records import Score
from danlu.base.seeds import preserved_randomness
from danlu.data import Dataset
from danlu.run.own.metric import Metric, MetricLike
from danlu.run.setup import Setup
from danlu.train.carried import Carried
from danlu.train.evaluate import Scorer

_TRIED_ON = 8  # samples


class OwnMetrics:
    """Counts a part for `metrics` of the user's, and lets `danlus` count it too.

    They get the outputs as the net gives them, [N, …], and the targets: class numbers [N], or for regression both in
    the target's own unit, [N] or [N, T]. A function is called once with those of the whole part, which are kept.
    """

    def __init__(self, danlus: Scorer, metrics: Mapping[str, MetricLike], data: Dataset) -> None:
        self._danlus = danlus
        self._metrics = metrics
        self._data = data
        self._functions = not all(isinstance(one, Metric) for one in metrics.values())
        self._kept: list[tuple[Tensor, Tensor]] = []

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self._danlus.update(outputs, targets)
        outputs, targets = self._in_units(outputs.detach()), self._in_units(targets)
        for metric in self._metrics.values():
            if isinstance(metric, Metric):
                metric.update(outputs, targets)
        if self._functions:
            self._kept.append((outputs.clone(), targets.clone()))

    def translated(self, written: Tensor, targets: Tensor) -> None:
        self._danlus.translated(written, targets)

    def compute(self, loss: float) -> Score:
        score = dict(self._danlus.compute(loss))
        for name, metric in self._metrics.items():
            if isinstance(metric, Metric):
                value = metric.compute()
            else:
                outputs, targets = (torch.cat(parts) for parts in zip(*self._kept, strict=True))
                value = metric(outputs, targets)
            score[name] = as_number(name, value)
        self.reset()
        return score

    def reset(self) -> None:
        self._danlus.reset()
        self._kept.clear()
        for metric in self._metrics.values():
            if isinstance(metric, Metric):
                metric.reset()

    def _in_units(self, numbers: Tensor) -> Tensor:
        if self._data.task != "regression":
            return numbers
        decoded = torch.as_tensor(self._data.decode(numbers.double().reshape(len(numbers), -1)))
        return decoded.reshape(len(numbers)) if decoded.numel() == len(numbers) else decoded


def as_number(name: str, value: Any) -> float:
    """A metric's answer as a number; UserError where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return fail("lab.metric-no-number", name=name, found=type(value).__name__)


def try_metrics(setup: Setup, metrics: Mapping[str, MetricLike]) -> None:
    """Let the metrics count a few samples before the first step, and forget them; UserError where one fails."""
    if not metrics:
        return
    net, data = setup.net, setup.data
    part = next(part for part in ("validation", "test", "train") if data.sizes[part])
    was_training = net.training
    with preserved_randomness(), torch.no_grad():
        inputs, targets = next(iter(data.batches(part, _TRIED_ON, device=setup.device, dtype=setup.dtype)))
        outputs = Carried(net.eval())(inputs)
        net.train(was_training)
    for name, metric in metrics.items():
        alone = OwnMetrics(_Nothing(), {name: metric}, data)
        try:
            alone.update(outputs, targets)
            alone.compute(0.0)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever somebody's function raises
            fail("lab.metric-fails", name=name, outputs=tuple(outputs.shape), targets=tuple(targets.shape), why=error)


class _Nothing:
    """Stands for danlu's metrics where they are not wanted."""

    def update(self, outputs: Tensor, targets: Tensor) -> None: ...

    def translated(self, written: Tensor, targets: Tensor) -> None: ...

    def compute(self, loss: float) -> Score:
        return {}

    def reset(self) -> None: ...
