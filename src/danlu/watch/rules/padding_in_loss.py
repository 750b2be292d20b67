"""padding-in-loss: the loss counts the answers at padded places too."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for trial in measured.interventions.values():
        if trial.pads_counted > thresholds["min_counted_share"]:
            # One token behind the end of each row may also be what the net is meant to tell: the end.
            known = trial.declares_padding or "padded" in measured.code
            severity = "warning" if known else "advice"
            return Verdict(severity, 1, {"share": trial.pads_counted}, remedies=("ignore-padding",))
    return None


RULE = Rule(
    "padding-in-loss",
    _judge,
    "PyTorch, torch.nn.CrossEntropyLoss: ignore_index",
    severities=("warning", "advice"),
    needs=("tried",),
    fault_in="loss",
    remedies=("ignore-padding",),
    thresholds={"min_counted_share": Threshold(0.1, "share")},
    reads="start",
    symptoms=("label-imbalance", "too-few-epochs", "plateau"),
)
