"""batchnorm-small-batch: batch normalisation estimates mean and variance from too few samples."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    batch = measured.inputs.batch.median()
    if not measured.net.norms or measured.net.frozen_norms or not batch >= 1:
        return None
    if len(measured.inputs.batch) < thresholds["times"] or measured.training_modes.median(5) == 0:
        return None
    if batch > thresholds["samples"]:
        return None
    numbers = {"batch": int(batch), "norms": len(measured.net.norms)}
    remedies = ({"train.batch_size": 32}, "group-norm")
    return Verdict("warning", 1, numbers, measured.net.norms, remedies=remedies)


RULE = Rule(
    "batchnorm-small-batch",
    _judge,
    "Wu and He 2018, Group Normalization, arXiv:1803.08494: the error rises by 10 points from 32 samples to 2",
    # With 4 samples the estimated standard deviation is off by 40 %; the last, smaller batch of an epoch is no matter.
    thresholds={"samples": 4, "times": 3},
    symptoms=("plateau", "underfitting", "overfitting", "too-few-epochs", "lr-too-high"),
)
