"""lr-too-low: the weights hardly move, although the gradient says where to; or they are too coarse to."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rates import higher_rate
from danlu.watch.reading import guess_loss, is_surrogate, main_optimiser, moving_layers, progress, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    rounded = _rounded(optimiser, thresholds) if optimiser is not None else None
    if rounded is not None:
        return rounded
    size, gone = step_size(measured, 10), progress(measured)
    # What moves by a hundred-thousandth of itself shows that sooner.
    least = thresholds["min_still_steps" if size < thresholds["max_still_update_ratio"] else "min_steps"]
    if optimiser is None or len(measured.optimisers) > 1 or measured.loss.count < least:
        return None
    if is_surrogate(measured):
        return None
    # Where all steps together cannot have changed a twentieth of the weights, a rise is chance.
    still = size * measured.loss.count < 0.05
    if (
        not 0 < size < thresholds["max_update_ratio"]
        or not (still or gone > -0.02 or _falls_over_all(measured))
        or not gone < thresholds["max_progress_share"]
    ):
        return None
    if _rises_still(optimiser.rate.values) or optimiser.rate.last < 0.5 * optimiser.highest_rate:
        return None  # warming up, or lowered by a schedule
    # Where the net knows its task already, small steps are what is wanted; so are they where the loss cannot fall.
    guess = guess_loss(measured)
    if measured.loss.end(0.1) < thresholds["min_loss_ratio"] * guess:
        return None
    layers = moving_layers(measured)
    if math.isnan(guess) and sum(layer.fresh for layer in layers) < len(layers) / 2:
        return None
    numbers = {"rate": optimiser.highest_rate, "size": size, "progress": max(0.0, gone), "steps": measured.loss.count}
    return Verdict("warning", 1, numbers, remedies=({"optim.lr": higher_rate(measured, optimiser)},))


def _falls_over_all(measured: Measured) -> bool:
    """Whether the first tenth of the curve lies above the last one: a first batch can lie low by chance."""
    return measured.loss.begin(0.1) > measured.loss.end(0.1)


def _rounded(optimiser: Optimiser, thresholds: Thresholds) -> Verdict | None:
    """What is added to weights of 16 bits is less than their last digit, and they stay as they are."""
    share, rates = optimiser.rounded, optimiser.rate
    if len(share) < thresholds["min_measurements"] or rates.last < 0.5 * optimiser.highest_rate:
        return None
    if not share.median() >= thresholds["min_rounded_share"] or _rises_still(rates.values):
        return None
    numbers = {"share": share.median(), "rate": optimiser.highest_rate, "type": optimiser.low_precision}
    return Verdict("warning", share.steps[0], numbers, variant="rounded", remedies=("wide-weights",))


def _rises_still(rates: list[float]) -> bool:
    return len(rates) > 2 and rates[-1] > 1.02 * rates[len(rates) // 2]


RULE = Rule(
    "lr-too-low",
    _judge,
    "Karpathy, CS231n notes, Neural Networks Part 3: ratio of weights to updates",
    severities=("warning",),
    needs=("optimizer", "steps"),
    fault_in="optimizer",
    remedies=({"optim.lr": None}, "wide-weights"),
    # A tenth of that thousandth, and after 50 steps less than a seventh of the way: at this pace thousands are needed.
    thresholds={
        "min_steps": Threshold(50, "steps", "steps"),
        "min_still_steps": Threshold(20, "steps"),
        "max_still_update_ratio": Threshold(1e-5, "share"),
        "max_update_ratio": Threshold(2e-4, "share", "size"),
        "max_progress_share": Threshold(0.15, "share", "progress"),
        "min_loss_ratio": Threshold(0.6, "times", "known"),
        "min_rounded_share": Threshold(0.5, "share"),
        "min_measurements": Threshold(6, "measurements"),
    },
    reads="curve",
    symptoms=("plateau", "underfitting", "too-few-epochs"),
)
