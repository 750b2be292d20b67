"""plateau: the loss fell, and has stood still for long, well above its floor."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import is_flat, main_optimiser, progress, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if measured.loss.count < thresholds["steps"] or len(measured.optimisers) != 1 or optimiser is None:
        return None
    gone = progress(measured)
    # Steps of a hundredth of the weights, never made smaller: the loss rests on the noise that they make themselves.
    coarse = step_size(measured) > thresholds["coarse"] and optimiser.rate.last > 0.9 * optimiser.highest_rate
    if not gone < thresholds["nearly" if coarse else "done"] or not is_flat(measured, thresholds["flat"]):
        return None
    since = measured.step // 2
    numbers = {
        "loss": measured.loss.end(0.1),
        "first": measured.loss.first,
        "since": since,
        "rate": optimiser.rate.last,
    }
    return Verdict("advice", since, numbers, remedies=("change-rate", {"schedule.name": "cosine"}))


RULE = Rule(
    "plateau",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 8.2.2: plateaus and flat regions",
    # Half of the training without a fiftieth gained.
    thresholds={"steps": 120, "flat": 0.02, "done": 0.7, "coarse": 0.01, "nearly": 0.95},
    symptoms=("too-few-epochs",),
)
