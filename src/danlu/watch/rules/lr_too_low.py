"""lr-too-low: the weights hardly move, although the gradient says where to."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.rates import higher_rate
from danlu.watch.reading import guess_loss, is_surrogate, main_optimiser, moving_layers, progress, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    size, gone = step_size(measured, 10), progress(measured)
    if optimiser is None or len(measured.optimisers) > 1 or measured.loss.count < thresholds["min_steps"]:
        return None
    if is_surrogate(measured):
        return None
    # Where all steps together cannot have changed a twentieth of the weights, a rise is chance.
    still = size * measured.loss.count < 0.05
    if (
        not 0 < size < thresholds["max_update_ratio"]
        or not (still or gone > -0.02)
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


def _rises_still(rates: list[float]) -> bool:
    return len(rates) > 2 and rates[-1] > 1.02 * rates[len(rates) // 2]


RULE = Rule(
    "lr-too-low",
    _judge,
    "Karpathy, CS231n notes, Neural Networks Part 3: ratio of weights to updates",
    severities=("warning",),
    needs=("optimizer", "steps"),
    fault_in="optimizer",
    remedies=({"optim.lr": None},),
    # A tenth of that thousandth, and after 50 steps less than a seventh of the way: at this pace thousands are needed.
    thresholds={
        "min_steps": Threshold(50, "steps", "steps"),
        "max_update_ratio": Threshold(2e-4, "share", "size"),
        "max_progress_share": Threshold(0.15, "share", "progress"),
        "min_loss_ratio": Threshold(0.6, "times", "known"),
    },
    reads="curve",
    symptoms=("plateau", "underfitting", "too-few-epochs"),
)
