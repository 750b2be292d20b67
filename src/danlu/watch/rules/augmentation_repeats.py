"""augmentation-repeats: random numbers that the loading of samples draws come again, in every worker or every epoch."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured

_REMEDIES = {
    "generator": "seed-workers", "constant": "seed-workers", "worker": "seed-by-epoch", "sample": "seed-once",
}  # fmt: skip


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    drawing = measured.drawing
    if not drawing.repeats or not measured.step:
        return None
    # Where workers differ and each epoch draws what the one before did, the shuffled samples still change places.
    severity = "advice" if drawing.repeats == "worker" else "warning"
    numbers = {"workers": drawing.workers, "name": drawing.named}
    remedies = (_REMEDIES[drawing.repeats],)
    return Verdict(severity, 1, numbers, variant=drawing.repeats, remedies=remedies, line=drawing.line)


RULE = Rule(
    "augmentation-repeats",
    _judge,
    "PyTorch, torch.utils.data: randomness in multi-process data loading",
    severities=("warning", "advice"),
    needs=("steps",),
    fault_in="batches",
    remedies=("seed-workers", "seed-by-epoch", "seed-once"),
    reads="start",
    symptoms=("overfitting",),
)
