"""overfitting: the net gets better on what it is trained on and worse on what it is not."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.reading import held_out

_REMEDIES = ({"optim.weight_decay": 0.0005}, {"net.dropout": 0.3}, {"train.patience": 3}, "more-data")
_NEWEST = 0.2  # of the batches whose answers were compared with their labels


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    passes = held_out(measured)
    samples = max((one.samples for one in passes), default=0)
    if samples < thresholds["min_samples"]:
        return None
    losses = [one for one in passes if math.isfinite(one.loss)]
    if len(losses) < thresholds["min_evaluations"]:
        return _by_accuracy(passes, measured, thresholds)
    best, newest = min(losses, key=lambda one: one.loss), losses[-2:]
    now = sum(one.loss for one in newest) / 2
    train = measured.loss.end(0.05)
    grown = now / best.loss if best.loss > 0 else math.nan
    apart = min(now - best.loss, now - train) > thresholds["min_standard_errors"] * _error(newest[-1], samples)
    if (
        grown > thresholds["min_loss_ratio"]
        and train < thresholds["max_train_loss_ratio"] * now
        and apart
        and best.step < newest[0].step
        and not _has_come_apart(measured, best, train)
    ):
        # Beside what was learnt before, what was lost again may be next to nothing.
        lost = (now - best.loss) / max(measured.loss.first - best.loss, 1e-12)
        much = grown > thresholds["min_loss_ratio_warning"] and not 0 <= lost < thresholds["min_lost_share_warning"]
        numbers = {"best": best.loss, "now": now, "train": train, "step": best.step, "samples": samples}
        return Verdict("warning" if much else "advice", best.step, numbers, remedies=_REMEDIES)
    return _by_accuracy(passes, measured, thresholds)


def _has_come_apart(measured: Measured, best: Evaluation, train: float) -> bool:
    """Whether the training loss has risen too since the best pass: then the net has not learnt more, but less."""
    count = measured.loss.count
    place = min(1.0, max(0.0, (best.step + measured.before) / count)) if count else 0.0
    around = measured.loss.part(max(0.0, place - 0.03), min(1.0, place + 0.03))
    return train > max(best.loss, sum(around) / len(around) if around else math.inf)


def _error(one: Evaluation, samples: int) -> float:
    """The standard error of a validation loss. Losses of single samples spread by about their mean, and where there
    are few of them, the one that would show this may be missing."""
    usual = one.loss / math.sqrt(samples)
    return max(usual, one.error) if math.isfinite(one.error) else usual


def _by_accuracy(passes: list[Evaluation], measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """The gap between the two accuracies, where the training one has come near 1."""
    scored = [one for one in passes if math.isfinite(one.accuracy) and one.samples >= thresholds["min_samples"]]
    if not scored or measured.accuracy.count < 5:
        return None
    if 2 * scored[-1].step < measured.step:  # the training has come far since: of then nothing is known
        return None
    train, now = measured.accuracy.end(_NEWEST), scored[-1].accuracy
    error = math.hypot(math.sqrt(max(now * (1 - now), 0.0) / scored[-1].samples), _error_of_batches(measured, train))
    least = thresholds["min_gap_by_heart" if train > thresholds["min_accuracy_by_heart"] else "min_accuracy_gap"]
    if train < thresholds["min_train_accuracy"] or train - now < max(least, thresholds["min_standard_errors"] * error):
        return None
    severity = "warning" if train - now > 2 * thresholds["min_accuracy_gap"] else "advice"
    numbers = {"accuracy": now, "train": train, "samples": scored[-1].samples}
    remedies = ({"optim.weight_decay": 0.0005}, {"net.dropout": 0.3}, "more-data")
    return Verdict(severity, scored[-1].step, numbers, variant="gap", remedies=remedies)


def _error_of_batches(measured: Measured, accuracy: float) -> float:
    """The standard error of a training accuracy that few batches may stand for, of which all samples may be right:
    with two more of either kind (Agresti and Coull 1998). 0 where their samples are not known.
    """
    seen = measured.accuracy_samples * max(1, round(_NEWEST * measured.accuracy.count))
    share = (accuracy * seen + 2) / (seen + 4)
    return math.sqrt(share * (1 - share) / seen) if seen else 0.0


RULE = Rule(
    "overfitting",
    _judge,
    "Prechelt 1998, Early Stopping - But When?",
    severities=("warning", "advice"),
    needs=("evaluations", "scores"),
    fault_in="outcome",
    remedies=({"optim.weight_decay": 0.0005}, {"net.dropout": 0.3}, {"train.patience": 3}, "more-data"),
    # Scores of small validation parts waver by a tenth; half as much again as the best, with the training loss far
    # below, does not come back. A twentieth of what was learnt is not worth a word of warning. Below 30 samples a
    # single one of them makes such a rise, and above it two standard errors must be passed.
    reads="curve",
    thresholds={
        "min_evaluations": Threshold(4, "evaluations", "passes"),
        "min_loss_ratio": Threshold(1.15, "times", "rise"),
        "min_loss_ratio_warning": Threshold(1.5, "times", "much"),
        "min_lost_share_warning": Threshold(0.05, "share", "lost"),
        "max_train_loss_ratio": Threshold(0.5, "times", "apart"),
        "min_train_accuracy": Threshold(0.9, "share", "learnt"),
        "min_accuracy_gap": Threshold(0.15, "share", "gap"),
        "min_accuracy_by_heart": Threshold(0.99, "share"),
        "min_gap_by_heart": Threshold(0.1, "share"),
        "min_samples": Threshold(30, "samples", "samples"),
        "min_standard_errors": Threshold(2.0, "standard-errors", "errors"),
    },
)  # fmt: skip
