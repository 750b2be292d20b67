"""What a recipe can do about each finding: remedies as plain changes of settings, to be tried and not to be believed.

A remedy is a function of the recipe's values (by dotted key) and the finding; it gives one change, or several of which
one is to be taken (levels of a rate). A change is settings by dotted key; None takes a setting out of the recipe.
Whether the net has such an option, and whether a change is one at all, is for the caller to see.

A rule that stands in no row below is answered by the changes that its own finding proposes; where it proposes none,
nothing but code or data can be changed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from danlu.base.records import Finding
from danlu.watch.rates import usual_rates

Change = Mapping[str, Any]
Values = Mapping[str, Any]
Remedy = Callable[[Values, Finding], Sequence[Change]]

_MOST_WIDTH = 1024


def remedies_of(finding: Finding, values: Values) -> list[list[Change]]:
    """The remedies of a finding for a recipe of these values, the likeliest first; each with its alternatives.

    >>> finding = Finding("lr-too-high", "error", (), 1, {"rate": 20.0}, "", "", ({"change": {"optim.lr": 0.6}},))
    >>> remedies_of(finding, {"optim.lr": 20.0})[0]
    [{'optim.lr': 0.6}, {'optim.lr': 0.06}, {'optim.lr': 2.0}]
    """
    found = [list(remedy(values, finding)) for remedy in REMEDIES.get(finding.rule, (as_proposed,))]
    return [changes for changes in found if changes]


def as_proposed(values: Values, finding: Finding) -> Sequence[Change]:
    """The first change that the finding itself proposes."""
    return _proposed(finding)[:1]


def setting(key: str, *levels: Any) -> Remedy:
    """That setting, at one of `levels`."""

    def remedy(values: Values, finding: Finding) -> Sequence[Change]:
        return [{key: level} for level in levels]

    return remedy


def less(key: str, *levels: float) -> Remedy:
    """That setting, at those of `levels` that lie below its present value, where it has one."""

    def remedy(values: Values, finding: Finding) -> Sequence[Change]:
        now = values.get(key)
        return [{key: level} for level in levels if not isinstance(now, int | float) or level < now]

    return remedy


def more(key: str, *levels: float) -> Remedy:
    """That setting, at those of `levels` that lie above its present value, where it has one."""

    def remedy(values: Values, finding: Finding) -> Sequence[Change]:
        now = values.get(key)
        return [{key: level} for level in levels if not isinstance(now, int | float) or level > now]

    return remedy


def proposed(key: str, *factors: float) -> Remedy:
    """That setting as the finding proposes it, and that number times each of `factors`."""

    def remedy(values: Values, finding: Finding) -> Sequence[Change]:
        numbers = [change[key] for change in _proposed(finding) if key in change]
        return [{key: _round(number * factor)} for number in numbers[:1] for factor in (1, *factors)]

    return remedy


def lower_rate(values: Values, finding: Finding) -> Sequence[Change]:
    """The proposed rate and its neighbours a decade away; where nothing is proposed a tenth of the rate, or the usual
    one of the optimiser, if that is lower still."""
    rate = values.get("optim.lr")
    if not rate:
        return []
    _, usual, most = usual_rates(str(values.get("optim.name", "sgd")))
    wanted = _proposed_rate(finding) or (usual if rate > most else rate / 10)
    return _rates(value for value in (wanted, wanted / 10, min(wanted * 10, rate / 10)) if value < rate)


def higher_rate(values: Values, finding: Finding) -> Sequence[Change]:
    """The proposed rate and its neighbours a decade away; where nothing is proposed ten times the rate, or the usual
    one of the optimiser, if that is higher still."""
    rate = values.get("optim.lr")
    if not rate:
        return []
    least, usual, most = usual_rates(str(values.get("optim.name", "sgd")))
    wanted = _proposed_rate(finding) or (usual if rate < least else rate * 10)
    others = [value for value in (wanted * 10, wanted / 10) if value <= most]
    return _rates(value for value in (wanted, *others) if value > rate)


def other_rate(values: Values, finding: Finding) -> Sequence[Change]:
    """A tenth of the rate, and ten times the rate, where the optimiser trains at such; else its usual rate."""
    rate = values.get("optim.lr")
    if not rate:
        return []
    least, usual, most = usual_rates(str(values.get("optim.name", "sgd")))
    near = [other for other in (rate / 10, rate * 10) if least <= other <= most]
    return _rates(near or [usual])


def next_rate(values: Values, findings: Sequence[Finding]) -> float:
    """A rate to try next: what a finding proposes; else twice the present one, or half of it where that is more than
    the optimiser trains at, or its usual one where both are out of its range.

    >>> [next_rate({"optim.lr": rate}, ()) for rate in (0.02, 0.8, 1e30)]
    [0.04, 0.4, 0.01]
    """
    wanted = next((rate for one in findings if (rate := _proposed_rate(one)) is not None), None)
    least, usual, most = usual_rates(str(values.get("optim.name", "sgd")))
    rate = values.get("optim.lr") or usual
    near = [other for other in (2 * rate, rate / 2) if least <= other <= most]
    return float(f"{wanted or [*near, usual][0]:.1g}")


def longer(values: Values, finding: Finding) -> Sequence[Change]:
    """Three times as many epochs; ten times where there were but a few."""
    epochs = int(values.get("train.epochs", 1))
    return [{"train.epochs": 10 * epochs if epochs <= 3 else 3 * epochs}]


def until_the_best(values: Values, finding: Finding) -> Sequence[Change]:
    """As many epochs as had passed when the validation loss was lowest.

    Not early stopping: that chooses each member's epoch by the very score which is compared, and so flatters itself.
    """
    step, steps = finding.evidence.get("step"), values.get("steps_per_epoch")
    if not step or not steps:
        return []
    return [{"train.epochs": max(1, round(step / steps))}]


def larger_net(values: Values, finding: Finding) -> Sequence[Change]:
    """Hidden layers eight times as wide, up to 1,024; a hidden layer for a net that has none."""
    name, hidden = str(values.get("net.name", "")), values.get("net.hidden")
    if name.endswith("regression"):
        return [{"net.name": "mlp"}]
    for key in ("net.width", "net.growth"):
        if key in values:
            return [{key: _wider(width)} for width in (int(values[key]),) if width < _MOST_WIDTH]
    widths = [hidden] if isinstance(hidden, int) else [int(width) for width in hidden or ()]
    if widths:
        return [{"net.hidden": [_wider(width) for width in widths]}] if min(widths) < _MOST_WIDTH else []
    return [{"net.hidden": [256, 256]}] if name == "mlp" else []


def more_pictures(values: Values, finding: Finding) -> Sequence[Change]:
    """Shifted pictures; not mirrored ones, for digits and letters have their side."""
    return [] if values.get("data.augment") else [{"data.augment": ["crop:2"]}]


def balanced_classes(values: Values, finding: Finding) -> Sequence[Change]:
    """Rare classes that count more in the loss, or come as often as the others: one of the two."""
    if values.get("loss.class_weights") == "balanced" or values.get("data.balance") == "classes":
        return []
    return [{"loss.class_weights": "balanced"}, {"data.balance": "classes"}]


def no_cut(values: Values, finding: Finding) -> Sequence[Change]:
    """Clipping by value given up for clipping by norm, or left out."""
    if values.get("train.clip_value") is None:
        return []
    return [{"train.clip_value": None, "train.clip_norm": 1.0}, {"train.clip_value": None}]


def _proposed(finding: Finding) -> list[Change]:
    return [remedy["change"] for remedy in finding.remedies if "change" in remedy]


def _proposed_rate(finding: Finding) -> float | None:
    return next((float(change["optim.lr"]) for change in _proposed(finding) if "optim.lr" in change), None)


def _rates(rates: Any) -> list[Change]:
    return [{"optim.lr": rate} for rate in dict.fromkeys(_round(rate) for rate in rates)]


def _round(number: float) -> float:
    return float(f"{number:.2g}") if math.isfinite(number) else number


def _wider(width: int) -> int:
    return max(width, min(_MOST_WIDTH, max(64, 8 * width)))


_RELU = setting("net.activation", "relu")
_NORM = setting("net.norm", "batch")
_USUAL_INIT = setting("net.init", "default", "kaiming-normal")
_CLIP = setting("train.clip_norm", 1.0)

REMEDIES: dict[str, tuple[Remedy, ...]] = {
    "input-scale": (setting("data.standardise", True),),
    "input-twice-scaled": (setting("data.standardise", True),),
    "unshuffled": (setting("data.shuffle", True),),
    "loader-starved": (),  # worker processes make it faster, not better
    "loss-mismatch": (setting("loss.name", "auto"),),
    "output-activation": (setting("loss.name", "auto"),),
    "loss-sum": (setting("loss.reduction", "mean"), lower_rate),
    "initial-loss": (_USUAL_INIT,),
    "bad-init": (_USUAL_INIT,),
    "missing-nonlinearity": (_RELU,),
    "lr-too-high": (lower_rate, _CLIP),
    "lr-too-low": (higher_rate,),
    "no-update": (higher_rate,),
    "scheduler-misuse": (setting("schedule.name", "constant", "cosine"),),
    "weight-decay-too-high": (less("optim.weight_decay", 1e-4, 0.0),),
    "clip-too-tight": (proposed("train.clip_norm", 5.0), no_cut),
    "vanishing-gradient": (_RELU, _NORM, setting("net.residual", True), _USUAL_INIT),
    "exploding-gradient": (_USUAL_INIT, _CLIP, lower_rate, _NORM),
    "saturated": (_USUAL_INIT, _RELU, _NORM),
    "dead-relu": (lower_rate, setting("net.activation", "leaky-relu"), _USUAL_INIT),
    "nonfinite": (lower_rate, _CLIP, setting("data.standardise", True)),
    "batchnorm-small-batch": (more("train.batch_size", 32), setting("net.norm", "layer")),
    "dropout-too-high": (less("net.dropout", 0.3, 0.1),),
    "overfitting": (until_the_best, more("net.dropout", 0.5, 0.3), more("optim.weight_decay", 5e-3, 5e-4),
                    more_pictures),
    "underfitting": (larger_net, longer, other_rate),
    "plateau": (other_rate, setting("schedule.name", "cosine")),
    "too-few-epochs": (longer,),
    "label-imbalance": (balanced_classes,),
    "class-weights-inverted": (setting("loss.class_weights", "balanced"),),
}  # fmt: skip
"""The remedies by rule, the likeliest first."""
