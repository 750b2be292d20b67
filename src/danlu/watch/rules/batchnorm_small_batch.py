"""batchnorm-small-batch: batch normalisation estimates mean and variance from too few samples."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    batch = measured.inputs.batch.median()
    if not measured.net.norms or measured.net.frozen_norms or not batch >= 1:
        return None
    if len(measured.inputs.batch) < thresholds["min_measurements"] or measured.training_modes.median(5) == 0:
        return None
    if batch > thresholds["max_batch_samples"]:
        return None
    numbers = {"batch": int(batch), "norms": len(measured.net.norms)}
    remedies = ({"train.batch_size": 32}, "group-norm")
    return Verdict("warning", 1, numbers, measured.net.norms, remedies=remedies)


RULE = Rule(
    "batchnorm-small-batch",
    _judge,
    "Wu and He 2018, Group Normalization, arXiv:1803.08494",
    severities=("warning",),
    needs=("batches",),
    fault_in="loader",
    remedies=({"train.batch_size": 32}, "group-norm"),
    # With 4 samples the estimated standard deviation is off by 40 %; the last, smaller batch of an epoch is no matter.
    thresholds={
        "max_batch_samples": Threshold(4, "samples", "samples"),
        "min_measurements": Threshold(3, "measurements", "times"),
    },
    symptoms=("vanishing-gradient", "plateau", "underfitting", "overfitting", "too-few-epochs", "lr-too-high"),
)
