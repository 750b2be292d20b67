"""losses-unbalanced: of losses that are added up as they are one is so large that the others count for nothing."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.mixed_reductions >= thresholds["min_batch"]:
        numbers = {"batch": measured.mixed_reductions}
        return Verdict("warning", 1, numbers, variant="reductions", remedies=("same-reduction",))
    ratio = measured.loss_ratio
    if len(ratio) < thresholds["min_measurements"] or not ratio.first >= thresholds["min_first_ratio"]:
        return None
    if ratio.median() < thresholds["min_ratio"]:
        return None
    small, large = measured.losses_added
    if small < thresholds["min_loss"]:
        return None
    numbers = {"small": small, "large": large, "ratio": ratio.first}
    return Verdict("warning", 1, numbers, remedies=("weigh-losses",))


RULE = Rule(
    "losses-unbalanced",
    _judge,
    "Kendall et al. 2018, Multi-Task Learning Using Uncertainty to Weigh Losses, arXiv:1705.07115",
    severities=("warning",),
    needs=("loss",),
    fault_in="whole loss",
    variants_in={"reductions": "loss"},
    remedies=("weigh-losses", "same-reduction"),
    # A loss that is learnt fast may become small beside another one; what counts is where they begin. One that begins
    # near 0, as what keeps two nets together does, has nothing to say yet.
    thresholds={
        "min_batch": Threshold(8, "samples"),
        "min_measurements": Threshold(4, "measurements"),
        "min_first_ratio": Threshold(300.0, "times"),
        "min_ratio": Threshold(50.0, "times"),
        "min_loss": Threshold(0.05, "loss"),
    },
    symptoms=("input-scale", "plateau", "underfitting", "too-few-epochs", "exploding-gradient", "initial-loss",
              "clip-too-tight", "lr-too-low", "bad-init", "dead-relu", "lr-too-high", "output-collapsed",
              "latent-collapsed"),
)  # fmt: skip
