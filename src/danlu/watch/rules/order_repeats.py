"""order-repeats: a DistributedSampler is not told of the epoch, so that every epoch comes in the same order."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    drawing = measured.drawing
    if drawing.unchanged < thresholds["min_epochs"] or 2 * drawing.unchanged < drawing.passes - 1:
        return None
    return Verdict("warning", drawing.unchanged_since, {"epochs": drawing.unchanged + 1}, remedies=("set-epoch",))


RULE = Rule(
    "order-repeats",
    _judge,
    "PyTorch, torch.utils.data.distributed.DistributedSampler: set_epoch",
    severities=("warning",),
    needs=("steps",),
    fault_in="batches",
    remedies=("set-epoch",),
    thresholds={"min_epochs": Threshold(1, "epochs")},
    symptoms=("unshuffled",),
)
