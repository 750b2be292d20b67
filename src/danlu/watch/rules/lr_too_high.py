"""lr-too-high: the steps are so large that the loss rises, jumps or ends in NaN."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import chance_loss, early_step_size, main_optimiser, moving_layers, progress, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if optimiser is None or not optimiser.steps:
        return None
    early, now = early_step_size(measured), step_size(measured)
    largest = max((value for value in (early, now) if math.isfinite(value)), default=0.0)
    numbers = {"rate": optimiser.highest_rate, "size": largest, "first": measured.loss.first}
    numbers["loss"] = measured.loss.end(0.1)
    remedies = _lower(optimiser.highest_rate)
    if measured.nonfinite_at is not None:
        if measured.nonfinite_what != "input" and _largest_update(measured) > thresholds["violent"]:
            numbers["size"] = _largest_update(measured)
            return Verdict("error", measured.nonfinite_at, numbers, variant="nonfinite", remedies=remedies)
        return None
    if len(measured.optimisers) > 1 or measured.loss.count < thresholds["steps"] or measured.loss.first <= 0:
        return None  # the losses of an adversarial pair rise and fall by design
    rose = measured.loss.end(0.1) / measured.loss.first
    if rose > thresholds["rise"] and largest > thresholds["size"]:
        return Verdict("error", _rising_since(measured), numbers, variant="rising", remedies=remedies)
    stuck = progress(measured) < thresholds["progress"] and not measured.loss.lowest < 0.5 * measured.loss.first
    if stuck and largest > thresholds["violent"] and measured.loss.count >= 2 * thresholds["steps"]:
        return Verdict("error", 1, numbers, variant="stuck", remedies=remedies)
    return _jumping(measured, thresholds, numbers, now)


def _jumping(measured: Measured, thresholds: Thresholds, numbers: dict[str, float], now: float) -> Verdict | None:
    """Late in training the loss still leaps to where it began or beyond what chance would give."""
    if measured.loss.count < 3 * thresholds["steps"] or not now > thresholds["late"]:
        return None
    means, spreads = measured.loss.part(0.5, 1.0), measured.loss.spreads
    level = sum(means) / len(means)
    spread = math.sqrt(sum((one - level) ** 2 for one in means) / len(means))
    within = sum(spreads[len(spreads) // 2 :]) / max(1, len(spreads) - len(spreads) // 2)
    peak = max(means) + within
    chance = chance_loss(measured)
    top = min(measured.loss.first, chance) if math.isfinite(chance) else measured.loss.first
    if peak > top and level > 0.25 * top and math.hypot(spread, within) > thresholds["jump"] * level:
        return Verdict("warning", measured.step, numbers, variant="jumping", remedies=_lower(numbers["rate"]))
    return None


def _lower(rate: float) -> tuple[dict[str, float], ...]:
    return ({"optim.lr": float(f"{rate / 10:.1g}")}, {"train.clip_norm": 1.0})


def _largest_update(measured: Measured) -> float:
    """The largest step that any layer has made, against its weight; what is not finite counts as very large."""
    ratios = [value for layer in moving_layers(measured) for value in layer.update.values]
    return max((value if math.isfinite(value) else 1e9 for value in ratios), default=0.0)


def _rising_since(measured: Measured) -> int:
    means = measured.loss.means
    for place, value in enumerate(means):
        if value > 1.5 * measured.loss.first:
            return max(1, place * measured.loss.width)
    return 1


RULE = Rule(
    "lr-too-high",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 11.4.1; Karpathy: updates about a thousandth of the weights",
    # A step of 0.3 of a weight leaves the region in which its gradient meant anything; the first steps of an adaptive
    # optimiser may reach that and recover, so the loss has to have suffered too.
    thresholds={"steps": 20, "rise": 2.0, "size": 0.01, "violent": 0.3, "progress": 0.05, "late": 0.02, "jump": 0.3},
    symptoms=(
        "nonfinite", "dead-relu", "saturated", "plateau", "underfitting", "vanishing-gradient", "too-few-epochs",
        "overfitting", "label-imbalance", "parameters-unused", "lr-too-low", "no-update",
    ),
)  # fmt: skip
