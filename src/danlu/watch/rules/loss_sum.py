"""loss-sum: the loss is summed over the batch instead of averaged."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import is_adaptive, main_optimiser, progress, steady_heads


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    head = next(
        (head for head in steady_heads(measured) if head.summed and head.batch >= thresholds["min_batch_samples"]), None
    )
    optimiser = main_optimiser(measured)
    if head is None or optimiser is None:
        return None
    # An adaptive optimiser divides the factor out again, and a clipped gradient has lost it; autoencoders are
    # often trained so.
    harmless = is_adaptive(optimiser) or optimiser.clipped_to is not None
    learns = progress(measured) > 0 and measured.loss.nonfinite_since is None
    severity = (
        "advice"
        if harmless or (learns and optimiser.highest_rate * head.batch < thresholds["min_effective_lr"])
        else "warning"
    )
    variant = "adaptive" if is_adaptive(optimiser) else ""
    numbers = {"batch": head.batch, "rate": optimiser.highest_rate, "effective": optimiser.highest_rate * head.batch}
    return Verdict(severity, 1, numbers, variant=variant, remedies=({"loss.reduction": "mean"},))


RULE = Rule(
    "loss-sum",
    _judge,
    "Goyal et al. 2017, Accurate, Large Minibatch SGD, arXiv:1706.02677",
    severities=("warning", "advice"),
    needs=("loss", "optimizer"),
    fault_in="loss object",
    remedies=({"loss.reduction": "mean"},),
    # Below 4 samples sum and mean are one; a rate that, times the batch, stays below 0.5 is one that people choose.
    thresholds={
        "min_batch_samples": Threshold(4, "samples", "batch"),
        "min_effective_lr": Threshold(0.5, "lr", "rate"),
    },
    symptoms=(
        "output-collapsed", "lr-too-high", "exploding-gradient", "nonfinite", "dead-relu", "plateau", "underfitting",
        "saturated", "initial-loss", "clip-too-tight", "too-few-epochs",
    ),
)  # fmt: skip
