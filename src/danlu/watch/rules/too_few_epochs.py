"""too-few-epochs: when the training ended the loss was still falling fast."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import late_gain, main_optimiser, progress, validation_falls


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if not measured.ended or measured.crashed or optimiser is None or len(measured.optimisers) != 1:
        return None
    if measured.loss.count < thresholds["steps"] or measured.nonfinite_at is not None or measured.loss.first <= 0:
        return None
    if optimiser.rate.last < 0.2 * optimiser.highest_rate:
        return None  # its schedule has come to its end
    gained, error = late_gain(measured)
    now = measured.loss.end(0.25)
    left = now / measured.loss.first
    epochs = measured.step / measured.epoch_steps if measured.epoch_steps else 0.0
    # In the first few epochs any steady fall says so; later on it has to be a large one.
    few = epochs <= thresholds["few"]
    falls = gained > 2 * error and gained > thresholds["little" if few else "gained"]
    falls = falls or (few and validation_falls(measured))
    if not falls or left < thresholds["left"] or progress(measured) < thresholds["begun"]:
        return None
    numbers = {"gained": gained, "loss": now, "epochs": epochs, "steps": measured.step}
    remedies = ({"train.epochs": max(2, round(3 * epochs))},) if epochs >= 1 else ("train-longer",)
    return Verdict("advice", measured.step, numbers, remedies=remedies)


RULE = Rule(
    "too-few-epochs",
    _judge,
    "Hoffer et al. 2017, Train longer, generalize better, arXiv:1705.08741",
    # A tenth gained in the last quarter alone, with a tenth of the first loss still there to gain; a loss that falls
    # steadily gains four times its standard error, one that only wavers up to twice.
    thresholds={"steps": 20, "gained": 0.1, "little": 0.005, "few": 5, "left": 0.1, "begun": 0.05},
)
