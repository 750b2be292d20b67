"""dropout-too-high: so many activations are dropped that little is left to learn from, or answers themselves are."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import guess_loss


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    on_outputs = [head for head in measured.heads if head.dropped]
    if len(on_outputs) >= thresholds["min_measurements"] and len(on_outputs) > len(measured.heads) / 2:
        rate = max([*measured.net.dropout.values(), measured.net.plain_dropout], default=0.0)
        return Verdict("warning", 1, {"rate": rate}, variant="outputs", remedies=("dropout-before-output",))
    rates = {name: rate for name, rate in measured.net.dropout.items() if rate >= thresholds["min_dropout_rate"]}
    rate = max([*rates.values(), measured.net.plain_dropout], default=0.0)
    # A rate that is set and never used (the net is in evaluation mode) drops nothing.
    if measured.step < 5 or (measured.net.plain_dropout < thresholds["min_dropout_rate"] > 0 and not rates):
        return None
    if rate < thresholds["min_dropout_rate"] or measured.training_modes.median() == 0:
        return None
    numbers = {"rate": rate, "kept": 1 - rate}
    # Wide layers have enough left over: where the loss is far below guessing, under dropout at that, it does its work.
    # Before the end that is not known, and what was told as a warning cannot be taken back.
    fails = measured.ended and not measured.loss.end(0.2) < thresholds["max_loss_ratio"] * guess_loss(measured)
    return Verdict("warning" if fails else "advice", 1, numbers, tuple(rates), remedies=({"net.dropout": 0.3},))


RULE = Rule(
    "dropout-too-high",
    _judge,
    "Srivastava et al. 2014, Dropout, JMLR 15, section 7.3",
    severities=("warning", "advice"),
    fault_in="module",
    remedies=({"net.dropout": 0.3}, "dropout-before-output"),
    thresholds={
        "min_measurements": Threshold(2, "measurements"),
        "min_dropout_rate": Threshold(0.75, "share", "rate"),
        "max_loss_ratio": Threshold(0.3, "times"),
    },
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "too-few-epochs", "lr-too-low", "dead-relu", "lr-too-high",
        "label-imbalance",
    ),
)  # fmt: skip
