"""optimizer-recreated: the optimiser is made anew again and again, and forgets what it knew of the gradient."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import is_adaptive


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    newest = max(measured.optimisers, key=lambda one: one.recreated, default=None)
    if newest is None or newest.recreated < thresholds["min_recreations"]:
        return None
    remembers = is_adaptive(newest) or newest.momentum > 0
    numbers = {"times": newest.recreated + 1, "kind": newest.kind, "steps": measured.step}
    severity = "warning" if remembers else "advice"
    return Verdict(severity, 1, numbers, variant="" if remembers else "plain", remedies=("optimizer-once",))


RULE = Rule(
    "optimizer-recreated",
    _judge,
    "Kingma and Ba 2015, Adam, arXiv:1412.6980",
    severities=("warning", "advice"),
    needs=("optimizer",),
    fault_in="optimizer",
    optimizer_with="recreated",
    remedies=("optimizer-once",),
    # Once is a second phase of training (unfreezing, another rate); twice with the very same parameters is a loop.
    thresholds={
        "min_recreations": Threshold(2, "times-made", "times"),
    },
    symptoms=(
        "output-collapsed", "plateau", "lr-too-high", "too-few-epochs", "underfitting", "scheduler-misuse",
        "parameters-not-optimized",
    ),
)  # fmt: skip
