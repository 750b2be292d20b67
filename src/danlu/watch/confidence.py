"""How sure a finding is: calibrated on the programs of `make faults`, where "surely" and "probably" are counted."""

import functools

from danlu.base.records import PROBABLY, SURELY, Finding
from danlu.watch.rulebook import rulebook

# What these rules tell was read off the code at work or tried out: the graph of the loss, the parameters that
# optimizers hold, the targets, the order of samples, answers to changed inputs. All others judge numbers, which have
# other causes too.
READ_OR_TRIED = frozenset({
    "batchnorm-small-batch", "eval-mode-in-training", "future-leak", "gradients-accumulate", "input-constant",
    "input-nonfinite", "input-scale", "label-range", "leaf-changed", "loss-broadcast", "loss-mismatch", "loss-sum",
    "missing-nonlinearity", "no-update", "optimizer-recreated", "order-repeats", "output-activation", "padding-in-loss",
    "parameters-not-optimized", "parameters-unused", "samples-mixed", "scheduler-misuse", "softmax-axis",
    "softmax-twice", "targets-not-shifted", "train-mode-in-evaluation", "train-test-overlap", "unshuffled",
})  # fmt: skip


def confidence_of(finding: Finding, cause: str) -> str:
    """SURELY or PROBABLY for an error or a warning of one of danlu's own rules that stands for itself; nothing for
    advice, which says no more than what is worth knowing, nor for a symptom, which stands under its cause.

    >>> confidence_of(Finding("softmax-twice", "error", (), 1, {}, "", ""), "")
    'surely'
    """
    if cause or finding.severity == "advice" or finding.rule not in _calibrated():
        return ""
    return SURELY if finding.rule in READ_OR_TRIED else PROBABLY


@functools.cache
def _calibrated() -> frozenset[str]:
    """The rules of danlu's own."""
    return frozenset(rule.id for rule in rulebook())
