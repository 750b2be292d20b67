"""lr-too-high: the steps are so large that the loss rises, jumps or ends in NaN."""

import itertools
import math
import statistics

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.rates import lower_rate
from danlu.watch.reading import (
    begins_blocked,
    early_step_size,
    first_loss,
    guess_loss,
    is_adaptive,
    is_surrogate,
    main_optimiser,
    moving_layers,
    reference_loss,
    step_size,
    target_bounds,
)

_FAR = 100.0  # a target to which the weights of a new net must grow by many times what they are


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if optimiser is None or not optimiser.steps:
        return None
    early, now = early_step_size(measured), step_size(measured)
    largest = max((value for value in (early, now) if math.isfinite(value)), default=0.0)
    numbers = {"rate": optimiser.highest_rate, "size": largest, "first": first_loss(measured)}
    numbers["loss"] = measured.loss.end(0.1)
    if measured.nonfinite_at is not None:
        return _overflow(measured, thresholds, numbers)
    begun = numbers["first"]
    if len(measured.optimisers) > 1 or not begun > 0:
        return None  # the losses of an adversarial pair rise and fall by design
    if is_surrogate(measured):
        return None  # so do those that are weighed by returns, and those of targets that move
    blown = numbers["loss"] > thresholds["min_blown_loss_ratio"] * max(begun, reference_loss(measured))
    if blown and largest > thresholds["min_leap_update_ratio"]:  # that is plain after a few steps
        return Verdict("error", _rising_since(measured, begun), numbers, variant="rising", remedies=_lower(measured))
    if measured.loss.count < thresholds["min_steps"]:
        return None
    late = statistics.median(measured.loss.part(0.9, 1.0))  # of unusual samples a few batches alone lie high
    if min(numbers["loss"], late) > thresholds["min_loss_ratio"] * begun and largest > thresholds["min_update_ratio"]:
        return Verdict("error", _rising_since(measured, begun), numbers, variant="rising", remedies=_lower(measured))
    halted = not begins_blocked(measured) and not _nears_far_targets(measured)
    if measured.loss.count >= 2 * thresholds["min_steps"] and halted:
        share = numbers["loss"] / max(reference_loss(measured), 1e-12)
        if numbers["loss"] < thresholds["min_guess_ratio"] * guess_loss(measured):
            share = 0.0  # it has learnt, if within the steps that the beginning is measured by
        if share > thresholds["min_stuck_loss_ratio"] and largest > thresholds["min_stuck_update_ratio"]:
            return Verdict("error", 1, numbers, variant="stuck", remedies=_lower(measured))
        enough = measured.loss.count >= thresholds["min_slow_steps"]
        if enough and share > thresholds["min_slow_loss_ratio"] and largest > thresholds["min_leap_update_ratio"]:
            return Verdict("warning", 1, numbers, variant="stuck", remedies=_lower(measured))
        moved = early > thresholds["min_still_update_ratio"] and not is_adaptive(optimiser)
        if enough and moved and _has_never_learnt(measured, thresholds):
            return Verdict("warning", 1, numbers, variant="stuck", remedies=_lower(measured))
        summed = optimiser.highest_rate / (1 - min(optimiser.momentum, 0.9999))  # what steps of one direction add up to
        long = optimiser.momentum > thresholds["min_momentum"] and summed > thresholds["min_summed_rate"]
        if enough and share > thresholds["min_slow_loss_ratio"] and long and not is_adaptive(optimiser):
            numbers |= {"momentum": optimiser.momentum, "summed": summed}
            return Verdict("error", 1, numbers, variant="momentum", remedies=({"optim.momentum": 0.9},))
    peak = max(measured.loss.earliest)
    if early > thresholds["min_leap_update_ratio"] and peak > thresholds["min_leap_loss_ratio"] * max(
        begun, measured.loss.first
    ):
        return Verdict("warning", 1, numbers | {"peak": peak}, variant="leap", remedies=_lower(measured))
    return _jumping(measured, thresholds, numbers, now)


def _has_never_learnt(measured: Measured, thresholds: Thresholds) -> bool:
    """Whether the loss lay at that of guessing all along; batches differ by chance, an eighth of them hardly does."""
    parts = [measured.loss.part(place / 8, (place + 1) / 8) for place in range(8)]
    lowest = min((statistics.fmean(part) for part in parts if part), default=0.0)
    return lowest > thresholds["min_stuck_loss_ratio"] * reference_loss(measured)


def _nears_far_targets(measured: Measured) -> bool:
    """Whether the targets lie so far out that weights have to grow beyond all measure, and the loss falls all along."""
    if not max(map(abs, target_bounds(measured))) > _FAR:
        return False
    quarters = [measured.loss.part(place / 4, (place + 1) / 4) for place in range(4)]
    means = [statistics.fmean(quarter) for quarter in quarters if quarter]
    return len(means) == 4 and all(late < early for early, late in itertools.pairwise(means))


def _overflow(measured: Measured, thresholds: Thresholds, numbers: dict[str, float]) -> Verdict | None:
    """NaN after steps that changed a layer by a good part of itself, or after a loss that had grown by itself."""
    rate = numbers["rate"]
    largest = max((size for layer in moving_layers(measured) for size in _updates(layer, rate)), default=0.0)
    means = measured.loss.means
    grown = len(means) > 1 and measured.loss.first > 0 and means[-1] > 10 * measured.loss.first
    if measured.nonfinite_what == "input" or not (largest > thresholds["min_stuck_update_ratio"] or grown):
        return None
    numbers["size"] = largest
    return Verdict("error", measured.nonfinite_at or 1, numbers, variant="nonfinite", remedies=_lower(measured))


def _updates(layer: Layer, rate: float) -> list[float]:
    """The updates of a layer over its weight; one too large to be measured by the gradient that it followed."""
    gradients, weights = dict(layer.gradient), dict(layer.weight)
    known = layer.update.finite()
    for step, value in layer.update:
        slope, weight = gradients.get(step, math.nan), weights.get(step, math.nan)
        if math.isinf(value) and math.isfinite(slope) and weight > 0:
            known.append(rate * slope / weight)
    return known


def _jumping(measured: Measured, thresholds: Thresholds, numbers: dict[str, float], now: float) -> Verdict | None:
    """Late in training the loss still leaps to where it began or beyond what chance would give."""
    if measured.loss.count < 3 * thresholds["min_steps"] or not now > thresholds["min_late_update_ratio"]:
        return None
    # One batch may lie high by chance, eight in a row do not.
    size = max(1, math.ceil(8 / measured.loss.width))
    means = measured.loss.part(0.5, 1.0)
    means = [statistics.median(means[at : at + size]) for at in range(0, len(means) - size + 1, size)]
    if not means:
        return None
    level = sum(means) / len(means)
    spread = math.sqrt(sum((one - level) ** 2 for one in means) / len(means))
    peak, top = max(means), max(first_loss(measured), measured.loss.first)
    if (
        peak > top
        and min(means) < 0.5 * peak
        and level > 0.25 * top
        and spread > thresholds["min_jump_std_ratio"] * level
    ):
        return Verdict("warning", measured.step, numbers, variant="jumping", remedies=_lower(measured))
    return None


def _lower(measured: Measured) -> tuple[dict[str, float], ...]:
    optimiser = main_optimiser(measured)
    rate = ({"optim.lr": lower_rate(measured, optimiser)},) if optimiser else ()
    return (*rate, {"train.clip_norm": 1.0})


def _rising_since(measured: Measured, begun: float) -> int:
    for place, value in enumerate(measured.loss.means):
        if value > 1.5 * begun:
            return max(1, place * measured.loss.width) - measured.before
    return 1


RULE = Rule(
    "lr-too-high",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 11.4.1; Karpathy, CS231n notes, Neural Networks Part 3",
    severities=("error", "warning"),
    needs=("optimizer", "steps"),
    fault_in="optimizer",
    remedies=({"optim.lr": None}, {"train.clip_norm": 1.0}, {"optim.momentum": 0.9}),
    # A step of 0.3 of a weight leaves the region in which its gradient meant anything, one of 1 and more replaces it;
    # an adaptive optimiser's first steps may do that and recover, so the loss must be no better than guessing, or
    # hardly after a hundred steps; or leap at once to several times what it was, which throws the initial weights away.
    thresholds={
        "min_steps": Threshold(20, "steps", "steps"),
        "min_loss_ratio": Threshold(2.0, "times", "rise"),
        "min_blown_loss_ratio": Threshold(1000.0, "times"),
        "min_update_ratio": Threshold(0.01, "share", "size"),
        "min_stuck_update_ratio": Threshold(0.3, "share", "violent"),
        "min_stuck_loss_ratio": Threshold(0.95, "times", "stuck"),
        "min_leap_update_ratio": Threshold(1.0, "share", "replaced"),
        "min_still_update_ratio": Threshold(0.05, "share"),
        "min_slow_loss_ratio": Threshold(0.75, "times", "hardly"),
        "min_guess_ratio": Threshold(0.8, "times"),
        "min_slow_steps": Threshold(100, "steps", "enough"),
        "min_momentum": Threshold(0.97, "share"),
        "min_summed_rate": Threshold(3.0, "number"),
        "min_leap_loss_ratio": Threshold(5.0, "times", "leap"),
        "min_late_update_ratio": Threshold(0.02, "share", "late"),
        "min_jump_std_ratio": Threshold(0.3, "times", "jump"),
    },
    reads="start",
    symptoms=(
        "output-collapsed", "nonfinite", "exploding-gradient", "dead-relu", "saturated", "plateau", "underfitting",
        "vanishing-gradient", "too-few-epochs", "overfitting", "label-imbalance", "parameters-unused", "lr-too-low",
        "no-update",
    ),
)  # fmt: skip
