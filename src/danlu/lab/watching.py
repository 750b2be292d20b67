"""Watch on danlu's own loop: the block around `train`, what it tells, and what of it is kept."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.lab.scribe import Scribe
from danlu.train.step import PlainStep
from danlu.watch import Measured, Watch

_DIGITS = 4


class Watching:
    """Watches one training by its recipe; findings and the course of each layer go into the journal.

    `shown` hears of every finding as it appears. `before` counts the steps that were done before a resume: watch begins
    anew there, and what it finds is counted on from it.
    """

    def __init__(
        self, recipe: Recipe, step: PlainStep, scribe: Scribe, shown: Callable[[Finding], None], before: int
    ) -> None:
        settings = recipe.watch
        self._on = settings.on
        self._scribe = scribe
        self._shown = shown
        self._before = before
        self._names: list[str] = []
        self._watch = Watch(
            step.net,
            step.optimizer,
            silence=settings.silence,
            thresholds=settings.thresholds,
            shown=False,
            told=self._told,
            measured=self._measured,
        )

    def __enter__(self) -> None:
        if self._on:
            self._watch.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self._on:
            self._watch.__exit__(*error)
            self._scribe.write({"kind": "findings", "findings": [vars(one) for one in self._standing()]})

    def _standing(self) -> list[Finding]:
        return [self._counted_on(finding) for finding in self._watch.findings]

    def _counted_on(self, finding: Finding) -> Finding:
        return replace(finding, since=finding.since + self._before)

    def _told(self, finding: Finding) -> None:
        finding = self._counted_on(finding)
        self._scribe.write({"kind": "finding", **vars(finding)})
        self._shown(finding)

    def _measured(self, measured: Measured) -> None:
        """One record a measured step: for each layer spread of the output, gradient, update and dead units."""
        layers = list(measured.layers.values())
        names = [layer.name for layer in layers]
        dead = {one.name: one.dead.last for one in measured.activations.values() if one.kind == "relu"}
        record: dict[str, Any] = {"kind": "layers", "step": measured.step + self._before}
        if names != self._names:
            record["names"] = self._names = names
        record["spread"] = _short(layer.std.at(measured.step) for layer in layers)
        record["gradient"] = _short(layer.gradient.at(measured.step) for layer in layers)
        record["update"] = _short(layer.update.at(measured.step) for layer in layers)
        record["weight"] = _short(layer.weight.at(measured.step) for layer in layers)
        record["dead"] = _short(dead.get(name, math.nan) for name in names)
        self._scribe.write(record)


def _short(values: Iterable[float]) -> list[float | None] | None:
    """Four digits are enough for a picture; None for what was not measured, and for a row that has nothing."""
    row = [None if math.isnan(value) else float(f"{value:.{_DIGITS}g}") for value in values]
    return row if any(value is not None for value in row) else None
