"""overfitting: the net gets better on what it is trained on and worse on what it is not."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Evaluation, Measured
from danlu.watch.reading import held_out


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    passes = held_out(measured)
    losses = [one for one in passes if math.isfinite(one.loss)]
    remedies = ({"optim.weight_decay": 0.0005}, {"net.dropout": 0.3}, {"train.patience": 3}, "more-data")
    if len(losses) >= thresholds["passes"]:
        best = min(losses, key=lambda one: one.loss)
        now = sum(one.loss for one in losses[-2:]) / 2
        train = measured.loss.end(0.05)
        grown = now / best.loss if best.loss > 0 else math.nan
        apart = train < thresholds["apart"] * now
        if grown > thresholds["rise"] and apart and best.step < losses[-2].step:
            # Beside what was learnt before, what was lost again may be next to nothing.
            lost = (now - best.loss) / max(measured.loss.first - best.loss, 1e-12)
            much = grown > thresholds["much"] and not 0 <= lost < thresholds["lost"]
            severity = "warning" if much else "advice"
            numbers = {"best": best.loss, "now": now, "train": train, "step": best.step}
            return Verdict(severity, best.step, numbers, remedies=remedies)
    return _by_accuracy(passes, measured, thresholds)


def _by_accuracy(passes: list[Evaluation], measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """The gap between the two accuracies, where the training one has come near 1."""
    scored = [one for one in passes if math.isfinite(one.accuracy) and one.samples >= 50]
    if not scored or measured.accuracy.count < 5:
        return None
    train, now = measured.accuracy.end(0.2), scored[-1].accuracy
    if train < thresholds["learnt"] or train - now < thresholds["gap"]:
        return None
    severity = "warning" if train - now > 2 * thresholds["gap"] else "advice"
    numbers = {"accuracy": now, "train": train}
    remedies = ({"optim.weight_decay": 0.0005}, {"net.dropout": 0.3}, "more-data")
    return Verdict(severity, scored[-1].step, numbers, variant="gap", remedies=remedies)


RULE = Rule(
    "overfitting",
    _judge,
    "Prechelt 1998, Early Stopping - But When?: generalisation loss, the rise over the best validation error so far",
    # Scores of small validation parts waver by a tenth; half as much again as the best, with the training loss far
    # below, does not come back. A twentieth of what was learnt is not worth a word of warning.
    thresholds={"passes": 4, "rise": 1.15, "much": 1.5, "lost": 0.05, "apart": 0.5, "learnt": 0.9, "gap": 0.15},
)
