"""softmax-twice: probabilities are handed to a loss that takes logits."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import HANDS_ON, steady_heads

_TWICE = {("cross-entropy", "Softmax"), ("bce-logits", "Sigmoid"), ("bce-logits", "Softmax")}


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for head in steady_heads(measured):
        first = next((kind for kind in head.between if kind not in HANDS_ON), "")
        if (head.loss, first) in _TWICE:
            variant = "" if head.loss == "cross-entropy" else "sigmoid"
            numbers = {"loss": head.loss, "outputs": head.shape[1] if len(head.shape) > 1 else 1, "low": head.low}
            names = (first.lower(),)
            return Verdict(
                "error", 1, numbers, variant=variant, remedies=("drop-softmax",), line=head.line, in_pass=names
            )
        if head.loss == "cross-entropy" and first == "LogSoftmax":
            numbers = {"outputs": head.shape[-1]}
            return Verdict("advice", 1, numbers, variant="log", remedies=("drop-softmax",), line=head.line)
    return None


RULE = Rule(
    "softmax-twice",
    _judge,
    "PyTorch, torch.nn.CrossEntropyLoss and BCEWithLogitsLoss",
    severities=("error", "advice"),
    needs=("loss",),
    fault_in="loss",
    remedies=("drop-softmax",),
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "lr-too-low", "vanishing-gradient", "too-few-epochs",
        "saturated", "output-activation", "initial-loss", "weight-decay-too-high",
    ),
)  # fmt: skip
