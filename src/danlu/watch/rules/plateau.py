"""plateau: the loss has stood still for long, and there are signs that it could fall further."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
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
    if measured.loss.count < thresholds["min_steps"] or len(measured.optimisers) != 1 or optimiser is None:
        return None
    if (
        measured.nonfinite_at is not None
        or is_surrogate(measured)
        or not is_flat(measured, thresholds["max_gain_share"])
    ):
        return None
    numbers = {"loss": measured.loss.end(0.1), "first": measured.loss.first, "rate": optimiser.rate.last}
    gone = progress(measured)
    if (
        _is_coarse(measured, optimiser, thresholds)
        and thresholds["min_progress_share"] < gone < thresholds["max_progress_share"]
    ):
        since = measured.loss.count // 2 - measured.before
        numbers |= {"since": since, "size": step_size(measured)}
        return Verdict("advice", since, numbers, remedies=("change-rate", {"schedule.name": "cosine"}))
    if abs(gone) < thresholds["min_progress_share"] and _is_new(measured):
        numbers |= {"steps": measured.loss.count}
        return Verdict("advice", 1 - measured.before, numbers, variant="start", remedies=("higher-rate", "he-init"))
    return None


def _is_coarse(measured: Measured, optimiser: Optimiser, thresholds: Thresholds) -> bool:
    """Whether the steps are so large, and were never made smaller, that they themselves keep the loss from falling:
    a rate beyond the usual ones, or steps that follow nothing but the noise of the batches."""
    if optimiser.rate.last < 0.9 * optimiser.highest_rate:
        return False
    _, _, highest = usual_rates(optimiser.kind)
    astray = (
        measured.noise.median(10) < thresholds["max_direction_share"]
        and step_size(measured) > thresholds["min_update_ratio"]
    )
    return optimiser.rate.last > highest or astray


def _is_new(measured: Measured) -> bool:
    """Whether the net is one that has learnt nothing before, whose guessing loss is not known: where it is, and the
    loss stands at it, that is told as underfitting; where the loss is below it, the net knew its task."""
    layers = moving_layers(measured)
    return not guess_loss(measured) > 0 and sum(layer.fresh for layer in layers) > len(layers) / 2


RULE = Rule(
    "plateau",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 8.2.3",
    severities=("advice",),
    needs=("optimizer", "steps"),
    fault_in="outcome",
    remedies=("change-rate", {"schedule.name": "cosine"}, "higher-rate", "he-init"),
    # Half of the training without a fiftieth gained. A loss that rests may have reached what the data allow: most do.
    # Only where steps of a fiftieth of the weights share less than a fifth of their direction is it the steps that
    # hold it up.
    thresholds={
        "min_steps": Threshold(120, "steps", "steps"),
        "max_gain_share": Threshold(0.02, "share", "flat"),
        "min_progress_share": Threshold(0.1, "share", "begun"),
        "max_progress_share": Threshold(0.95, "share", "done"),
        "min_update_ratio": Threshold(0.02, "share", "coarse"),
        "max_direction_share": Threshold(0.2, "share", "kept"),
    },
    reads="curve",
    symptoms=("too-few-epochs",),
)
