"""samples-mixed: the answer to one sample changes with another sample of its batch."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured

_REMEDIES = ("transpose-not-view", "batch-first")


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    table = len(measured.inputs.shape) == 2 and measured.inputs.floating and len(measured.optimisers) == 1
    for trial in measured.interventions.values():
        if trial.laid:
            return Verdict("error", 1, {}, (trial.laid,), variant="laid", remedies=("batch-first",))
        in_order = trial.sequential or trial.batch_second or table
        least = thresholds["min_moved_share_sequences" if in_order else "min_moved_share"]
        least = thresholds["min_moved_share_normalised"] if measured.net.over_samples else least
        if trial.others > least:
            numbers = {"share": trial.others}
            where = tuple(name for name in (trial.mixes or trial.name,) if name)
            if math.isinf(trial.others):
                remedies = ("batch-first", "transpose-not-view") if trial.batch_second else _REMEDIES
                return Verdict("error", 1, {}, where, variant="others", remedies=remedies)
            if trial.batch_second:
                return Verdict("error", 1, numbers, where, variant="time", remedies=("batch-first",))
            return Verdict("error", 1, numbers, where, remedies=_REMEDIES)
    return None


RULE = Rule(
    "samples-mixed",
    _judge,
    "Karpathy 2019, A Recipe for Training Neural Networks: use backprop to chart dependencies",
    severities=("error",),
    needs=("tried",),
    fault_in="module",
    variants_in={"time": "layer", "laid": "layer"},
    told_by=("softmax", "view", "reshape", "mean"),
    remedies=("batch-first", "transpose-not-view"),
    # Attention over a batch of a hundred moves an answer by a hundredth of what its own sample does. Discriminators
    # that look at the spread of their batch, by design, see pictures, or are one of a pair, and move by less than a
    # tenth. Where the graph
    # shows a softmax over the samples, anything beyond rounding is its doing, however small what it weighs has become.
    thresholds={
        "min_moved_share": Threshold(0.1, "share"),
        "min_moved_share_sequences": Threshold(0.005, "share"),
        "min_moved_share_normalised": Threshold(1e-5, "share"),
    },
    reads="start",
    symptoms=(
        "plateau", "underfitting", "lr-too-low", "overfitting", "too-few-epochs", "vanishing-gradient", "unshuffled",
        "output-collapsed",
    ),
)  # fmt: skip
