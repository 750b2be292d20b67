"""What a rule may have to have seen before its silence means that nothing is wrong."""

import math
from collections.abc import Callable, Mapping

from danlu.base.words import say
from danlu.watch.contract import Rule, Thresholds
from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured

_Present = Callable[[Measured, Thresholds], bool]

_FACTS: Mapping[str, tuple[str, _Present]] = {
    "inputs": ("inputs", lambda seen, least: len(seen.inputs.batch) > 0),
    "batches": ("inputs", lambda seen, least: not _has_norms(seen.net) or len(seen.inputs.batch) > 0),
    "code": ("code", lambda seen, least: seen.code_read),
    "labels": ("labels", lambda seen, least: seen.labels.seen > 0 or seen.labels.out_of_range is not None),
    "loss": ("loss", lambda seen, least: bool(seen.heads or seen.refused)),
    "graph": ("graph", lambda seen, least: seen.net.nonlinear is not None),
    "layers": ("optimizer", lambda seen, least: any(len(layer.gradient) for layer in seen.layers.values())),
    "optimizer": ("optimizer", lambda seen, least: any(one.steps for one in seen.optimisers)),
    "steps": ("steps", lambda seen, least: min(_steps(seen), seen.loss.count) >= least.get("min_steps", 0)),
    "measurements": ("steps", lambda seen, least: len(seen.training_modes) >= least.get("min_measurements", 0)),
    "tried": ("tried", lambda seen, least: any(not one.refused for one in seen.interventions.values())),
    "tried-again": (
        "steps",
        lambda seen, least: any(len(one.response) > 1 or one.refused for one in seen.interventions.values()),
    ),
    "times": ("steps", lambda seen, least: len(seen.timing.work) >= least.get("min_measurements", 0)),
    "modes": ("steps", lambda seen, least: not _changes_by_mode(seen.net) or len(seen.training_modes) >= 4),
    "evaluation-mode": ("evaluations", lambda seen, least: not _changes_by_mode(seen.net) or bool(seen.evaluations)),
    "evaluations": ("evaluations", lambda seen, least: bool(seen.evaluations)),
    "scores": (
        "scores",
        lambda seen, least: any(math.isfinite(one.loss) or math.isfinite(one.accuracy) for one in seen.evaluations),
    ),
    "held-out": (
        "evaluations",
        lambda seen, least: seen.declares_held_out or any(math.isfinite(one.overlap) for one in seen.evaluations),
    ),
}
"""By need, the end of the phrase that says what was missing, and whether it was there."""


def lacks(rule: Rule, measured: Measured, thresholds: Thresholds) -> str:
    """Why a rule that found nothing could not judge, in the language in force; empty where it could."""
    for need in rule.needs:
        missing, is_there = _FACTS[need]
        if not is_there(measured, thresholds):
            return say(f"watch.unseen-{missing}", steps=_steps(measured), why=_untried(measured))
    return ""


def _untried(measured: Measured) -> str:
    """Why nothing was tried on a copy of the net."""
    refused = next((one.refused for one in measured.interventions.values()), "")
    return say(f"watch.untried-{refused or 'none'}")


def _steps(measured: Measured) -> int:
    return measured.before + measured.step


def _has_norms(net: Net) -> bool:
    return bool(net.norms) and not net.frozen_norms


def _changes_by_mode(net: Net) -> bool:
    """Whether the net answers otherwise in training than in evaluation mode."""
    return bool(net.dropout) or _has_norms(net) or net.plain_dropout > 0
