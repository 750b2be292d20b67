"""too-few-epochs: when the training ended, as many epochs again would have gained much."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import (
    expected_gain,
    first_loss,
    guess_loss,
    is_surrogate,
    late_gain,
    main_optimiser,
    progress,
    validation_has_turned,
)


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if not measured.ended or measured.crashed or optimiser is None or len(measured.optimisers) != 1:
        return None
    if measured.loss.count < thresholds["min_steps"] or measured.nonfinite_at is not None or is_surrogate(measured):
        return None
    if optimiser.rate.last < 0.2 * optimiser.highest_rate or validation_has_turned(measured):
        return None  # its schedule has come to its end, or the held-out samples gain nothing more
    steps = measured.before + measured.step
    epochs = steps / measured.epoch_steps if measured.epoch_steps else 0.0
    if epochs > thresholds["max_early_epochs"] and late_gain(measured)[0] < thresholds["min_late_gain_share"]:
        return None
    gain, falls = expected_gain(measured)
    now, guess = measured.loss.end(0.1), guess_loss(measured)
    begin = min(guess, first_loss(measured)) if guess > 0 else first_loss(measured)  # it may begin below guessing
    enough = gain > max(thresholds["min_gain_share"] * (begin - now), thresholds["min_gain_ratio"] * begin)
    begun = enough and progress(measured) >= thresholds["min_progress_share"]
    if not falls or not (begun or _has_hardly_begun(measured, thresholds, epochs)):
        return None
    # In proportion: a loss that falls nearly straight to 0 does not arrive there.
    numbers = {"loss": now, "expected": now * now / (now + gain), "epochs": epochs, "steps": steps}
    remedies = ({"train.epochs": max(2, round(3 * epochs))},) if epochs >= 1 else ("train-longer",)
    return Verdict("advice", measured.step, numbers, remedies=remedies, fault_in="epochs")


def _has_hardly_begun(measured: Measured, thresholds: Thresholds, epochs: float) -> bool:
    """A few steps of next to no effect: of a curve that has yet to bend down nothing can be told beforehand."""
    if "inputs" in measured.unread:
        return False  # how often they came nobody knows
    few = measured.loss.count < thresholds["max_begun_steps"] and epochs <= thresholds["max_early_epochs"]
    gain, error = late_gain(measured)
    return few and progress(measured) < thresholds["max_begun_share"] and gain > 2 * error


RULE = Rule(
    "too-few-epochs",
    _judge,
    "Hoffer et al. 2017, Train longer, generalize better, arXiv:1705.08741",
    severities=("advice",),
    needs=("optimizer", "steps"),
    fault_in="outcome",
    remedies=({"train.epochs": None}, "train-longer"),
    # Every curve goes on falling a little. A doubling of the steps that should add a quarter to all that was learnt so
    # far is worth it; what it adds below that is mostly the certainty of answers that are right already.
    # After more than a few epochs the last quarter alone must have gained a tenth.
    reads="curve",
    thresholds={
        "min_steps": Threshold(20, "steps", "steps"),
        "min_gain_share": Threshold(0.25, "share", "gain"),
        "min_gain_ratio": Threshold(0.03, "times", "least"),
        "min_progress_share": Threshold(0.05, "share", "begun"),
        "max_early_epochs": Threshold(5, "epochs", "few"),
        "min_late_gain_share": Threshold(0.1, "share", "late"),
        "max_begun_steps": Threshold(60, "steps"),
        "max_begun_share": Threshold(0.1, "share"),
    },
)
