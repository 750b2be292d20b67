"""Watch on danlu's own loop: the block around `train`, what it tells, and what of it is kept."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.run.settings.draft import CUSTOM
from danlu.stack import StackedEngine
from danlu.store.records import FindingAppeared, FindingsStood, LayersMeasured
from danlu.store.run_history import RunHistory
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.engine import Engine
from danlu.watch import Earlier, Evaluation, LossCall, Measured, Watch

_DIGITS = 4
_BY_DESIGN = "accumulation-cleared"  # an exact training takes the gradient of each part away, and adds them up itself

# What the losses call of torch, and the kind of their targets.
_CALLS = {
    "cross-entropy": ("cross_entropy_loss", "classes"),
    "nll": ("nll_loss_nd", "classes"),
    "focal": ("cross_entropy_loss", "classes"),
    "bce": ("binary_cross_entropy_with_logits", "binary"),
    "mse": ("mse_loss", "numbers"),
    "l1": ("l1_loss", "numbers"),
    "huber": ("huber_loss", "numbers"),
}


class Watching:
    """Watches one training by its recipe; findings and the course of each layer go into the journal.

    `shown` hears of every finding as it appears. `history` is what the journal tells of the part that was done before a
    resume: the whole is judged as one training, and what was told is not told again.
    """

    def __init__(
        self,
        recipe: Recipe,
        engine: Engine,
        journal: JournalWriter,
        shown: Callable[[Finding], None],
        history: RunHistory,
    ) -> None:
        settings = recipe.watch
        self._on = settings.on and not isinstance(engine, ShardedEngine)  # no process has a whole layer to look at
        self._journal = journal
        self._shown = shown
        self._before = len(history.steps)
        self._engine = engine
        self._loss = recipe.loss
        self._names: tuple[str, ...] = ()
        self._watch = Watch(
            engine.net,
            engine.optimizer,
            silence=settings.silence if recipe.train.workers is None else (*settings.silence, _BY_DESIGN),
            thresholds=settings.thresholds,
            shown=False,
            lines=False,
            tries=recipe.net.name == CUSTOM,  # danlu's own nets have no such faults
            told=self._told,
            measured=self._measured,
            earlier=_earlier(history),
        )

    def __enter__(self) -> None:
        if self._on:
            self._watch.__enter__()
            if isinstance(self._engine, StackedEngine):
                self._engine.onlooker = self._watch.onlooker(self._describe)

    def __exit__(self, *error: Any) -> None:
        if self._on:
            if isinstance(self._engine, StackedEngine):
                self._engine.onlooker = None
            self._watch.__exit__(*error)
            self._journal.write(FindingsStood(findings=self._watch.found))

    def _describe(self, outputs: Tensor, targets: Tensor) -> LossCall:
        """The call that losses.py would make of outputs, [C, N] here, of which a stacked engine makes none."""
        name, kind = _CALLS[self._loss.name]
        outputs = outputs.t()
        if kind != "classes":
            outputs, targets = outputs.reshape(targets.shape), targets.to(outputs.dtype)
        weighted = self._loss.class_weights is not None or self._loss.name == "focal"
        return LossCall(name, kind, outputs, targets, weighted=weighted, summed=self._loss.reduction == "sum")

    def _told(self, finding: Finding) -> None:
        self._journal.write(FindingAppeared(finding=finding))
        self._shown(finding)

    def _measured(self, measured: Measured) -> None:
        record, self._names = layers_measured(measured, self._before, self._names)
        self._journal.write(record)


def layers_measured(measured: Measured, before: int, known: tuple[str, ...]) -> tuple[LayersMeasured, tuple[str, ...]]:
    """The record of a measured step: for each layer spread of the output, gradient, update and dead units; and the
    names of the layers, which stand in it where they are not the `known` ones."""
    layers = list(measured.layers.values())
    names = tuple(layer.name for layer in layers)
    dead = {one.name: one.dead.last for one in measured.activations.values() if one.kind == "relu"}
    record = LayersMeasured(
        step=measured.step + before,
        names=None if names == known else names,
        spread=_short(layer.std.at(measured.step) for layer in layers),
        gradient=_short(layer.gradient.at(measured.step) for layer in layers),
        update=_short(layer.update.at(measured.step) for layer in layers),
        weight=_short(layer.weight.at(measured.step) for layer in layers),
        dead=_short(dead.get(name, math.nan) for name in names),
    )
    return record, names


def _earlier(history: RunHistory) -> Earlier:
    """What the journal tells of the steps before; how many samples a validation had it does not say."""
    passes = [(epoch.step, epoch.validation) for epoch in history.epochs if epoch.validation]
    evaluations = [
        Evaluation(
            step + 1, 1, 0, score.get("loss", math.nan), score.get("accuracy", math.nan), training=False, overlap=0.0
        )
        for step, score in passes
    ]
    rate = max((rate for rate in history.lr if math.isfinite(rate)), default=0.0)
    last = history.epochs[-1] if history.epochs else None
    epoch_steps = last.step // last.epoch if last and last.epoch else None
    return Earlier(history.loss, rate, epoch_steps, evaluations, history.findings)


def _short(values: Iterable[float]) -> list[float | None] | None:
    """Four digits are enough for a picture; None for what was not measured, and for a row that has nothing."""
    row = [None if math.isnan(value) else float(f"{value:.{_DIGITS}g}") for value in values]
    return row if any(value is not None for value in row) else None
