"""eval-mode-in-training: the net is trained in evaluation mode: no dropout, and batch statistics that stand still."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    net, modes = measured.net, measured.training_modes
    affected = bool(net.dropout) or (bool(net.norms) and not net.frozen_norms)
    newest = modes.values[-int(thresholds["min_measurements"]) :]
    if not affected or len(newest) < thresholds["min_measurements"] or max(newest) > 0:
        return None
    since = modes.since([value == 0 for value in modes.values])
    numbers = {"dropout": len(net.dropout), "norms": len(net.norms)}
    where = (*net.dropout, *net.norms)
    return Verdict("warning", since, numbers, where, remedies=("call-train",))


RULE = Rule(
    "eval-mode-in-training",
    _judge,
    "PyTorch, torch.nn.Module.eval",
    severities=("warning",),
    needs=("modes",),
    fault_in="forward",
    remedies=("call-train",),
    # A single batch is looked at in evaluation mode now and then; four measured ones in a row are trained on so.
    thresholds={
        "min_measurements": Threshold(4, "measurements", "times"),
    },
    symptoms=("overfitting", "plateau", "exploding-gradient", "lr-too-high", "underfitting", "too-few-epochs"),
)
