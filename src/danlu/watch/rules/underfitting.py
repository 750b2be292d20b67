"""underfitting: the loss has come to rest near what guessing would give."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import guess_loss, is_flat, is_surrogate, narrow_layer


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if (
        measured.loss.count < thresholds["min_steps"]
        or len(measured.optimisers) > 1
        or measured.nonfinite_at is not None
    ):
        return None
    if is_surrogate(measured):
        return None
    guess, end = guess_loss(measured), measured.loss.end(0.1)
    if not guess > 0:
        return None
    share = end / guess
    narrow = narrow_layer(measured, thresholds["min_classes"])
    if (
        narrow
        and is_flat(measured, thresholds["max_narrow_gain_share"])
        and thresholds["min_narrow_loss_ratio"] < share < thresholds["max_loss_ratio"]
    ):
        numbers = {
            "loss": end,
            "guess": guess,
            "share": share,
            "width": narrow.width,
            "outputs": measured.labels.outputs,
        }
        return Verdict(
            "warning",
            measured.step,
            numbers,
            (narrow.name,),
            variant="narrow",
            remedies=("larger-net",),
            fault_in="module",
        )
    if measured.labels.dense or not is_flat(measured, thresholds["max_gain_share"]):
        return None
    if not _is_seen_again(measured, thresholds):
        return None
    if not thresholds["min_loss_ratio"] < share < thresholds["max_loss_ratio"]:
        return None
    numbers = {"loss": end, "guess": guess, "share": share}
    return Verdict(
        "warning", measured.step, numbers, remedies=("larger-net", "higher-rate", "look-at-labels"), fault_in="module"
    )


def _is_seen_again(measured: Measured, thresholds: Thresholds) -> bool:
    """Whether the samples came twice, or the steps are so many that a slow start is over."""
    twice = measured.epoch_steps is not None and measured.loss.count >= 2 * measured.epoch_steps
    return twice or measured.loss.count >= thresholds["min_steps_once"]


RULE = Rule(
    "underfitting",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 5.2",
    severities=("warning",),
    needs=("steps",),
    fault_in="outcome",
    remedies=("larger-net", "higher-rate", "look-at-labels"),
    # A slow start rests at the guess too, and a first pass over the samples does not tell it from an end. Noisy tables
    # end at 0.5 to 0.95 of the entropy of their labels, and are as good as they get: no loss by itself tells that from
    # a net that is too small. Above 0.99, flat, the net has learnt the frequencies of the classes and nothing else.
    # What is too narrow goes on creeping down.
    thresholds={
        "min_steps": Threshold(100, "steps", "steps"),
        "min_steps_once": Threshold(300, "steps"),
        "max_gain_share": Threshold(0.02, "share", "flat"),
        "min_loss_ratio": Threshold(0.99, "times", "none"),
        "max_loss_ratio": Threshold(1.5, "times", "above"),
        "min_classes": Threshold(4, "classes", "classes"),
        "min_narrow_loss_ratio": Threshold(0.3, "times", "left"),
        "max_narrow_gain_share": Threshold(0.2, "share", "slow"),
    },
    reads="curve",
    symptoms=("plateau", "too-few-epochs"),
)
