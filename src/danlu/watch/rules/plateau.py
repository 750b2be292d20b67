"""plateau: the loss has stood still for long, and there are signs that it could fall further."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured, Optimiser
from danlu.watch.rates import usual_rates
from danlu.watch.reading import (
    guess_loss,
    is_flat,
    is_surrogate,
    main_optimiser,
    moving_layers,
    progress,
    step_size,
)


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if measured.loss.count < thresholds["steps"] or len(measured.optimisers) != 1 or optimiser is None:
        return None
    if measured.nonfinite_at is not None or is_surrogate(measured) or not is_flat(measured, thresholds["flat"]):
        return None
    numbers = {"loss": measured.loss.end(0.1), "first": measured.loss.first, "rate": optimiser.rate.last}
    gone = progress(measured)
    if _is_coarse(measured, optimiser, thresholds) and thresholds["begun"] < gone < thresholds["done"]:
        since = measured.loss.count // 2 - measured.before
        numbers |= {"since": since, "size": step_size(measured)}
        return Verdict("advice", since, numbers, remedies=("change-rate", {"schedule.name": "cosine"}))
    if gone < thresholds["begun"] and _is_new(measured):
        numbers |= {"steps": measured.loss.count}
        return Verdict("advice", 1 - measured.before, numbers, variant="start", remedies=("higher-rate", "he-init"))
    return None


def _is_coarse(measured: Measured, optimiser: Optimiser, thresholds: Thresholds) -> bool:
    """Whether the steps are so large, and were never made smaller, that they themselves keep the loss from falling:
    a rate beyond the usual ones, or steps that follow nothing but the noise of the batches."""
    if optimiser.rate.last < 0.9 * optimiser.highest_rate:
        return False
    _, _, highest = usual_rates(optimiser.kind)
    astray = measured.noise.median(10) < thresholds["kept"] and step_size(measured) > thresholds["coarse"]
    return optimiser.rate.last > highest or astray


def _is_new(measured: Measured) -> bool:
    """Whether the net is one that has learnt nothing before, whose guessing loss is not known: where it is, and the
    loss stands at it, that is told as underfitting; where the loss is below it, the net knew its task."""
    layers = moving_layers(measured)
    return not guess_loss(measured) > 0 and sum(layer.fresh for layer in layers) > len(layers) / 2


RULE = Rule(
    "plateau",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 8.2.2: plateaus and flat regions",
    # Half of the training without a fiftieth gained. A loss that rests may have reached what the data allow: most do.
    # Only where steps of a fiftieth of the weights share less than a fifth of their direction is it the steps that
    # hold it up.
    thresholds={"steps": 120, "flat": 0.02, "begun": 0.1, "done": 0.95, "coarse": 0.02, "kept": 0.2},
    reads="curve",
    symptoms=("too-few-epochs",),
)
