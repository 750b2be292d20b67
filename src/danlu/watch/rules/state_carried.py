"""state-carried: a recurrent net begins with the state that samples of another kind have left, or with its graph."""

import itertools

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    carried = measured.carried
    if carried.attached and (
        _grows(measured, thresholds) or "a second time" in measured.crash or _was_changed(measured)
    ):
        numbers = {"nodes": carried.nodes.first, "now": carried.nodes.last}
        return Verdict("error", 1, numbers, variant="graph", remedies=("detach-state",))
    shuffled = measured.epoch_steps is not None and not measured.same_order
    shuffled = (shuffled and measured.step > 2 * (measured.epoch_steps or 0)) or measured.draws_at_random
    # A sequence that is told place by place would go on in the next batch; of others only shuffling tells it.
    shuffled = shuffled or carried.told == carried.times
    if carried.apart >= thresholds["min_steps"] and carried.apart == carried.times and shuffled:
        return Verdict("warning", 2, {"times": carried.times}, remedies=("reset-state",))
    return None


def _grows(measured: Measured, thresholds: Thresholds) -> bool:
    nodes = measured.carried.nodes
    known = nodes.values[: int(thresholds["min_measurements"])]
    enough = len(known) >= thresholds["min_measurements"]
    return enough and all(b > a for a, b in itertools.pairwise(known)) and known[-1] > 2 * known[0]


def _was_changed(measured: Measured) -> bool:
    return "modified by an inplace operation" in measured.crash


RULE = Rule(
    "state-carried",
    _judge,
    "PyTorch examples, word_language_model: repackage_hidden; Zaremba et al. 2014, arXiv:1409.2329, section 4.1",
    severities=("error", "warning"),
    needs=("steps",),
    fault_in="state",
    variants_in={"graph": "backward"},
    remedies=("reset-state", "detach-state"),
    thresholds={"min_steps": Threshold(2, "steps"), "min_measurements": Threshold(5, "measurements")},
    reads="start",
    symptoms=("too-few-epochs", "plateau", "underfitting", "overfitting", "exploding-gradient", "samples-mixed"),
)
