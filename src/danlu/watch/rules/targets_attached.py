"""targets-attached: the target of a value is computed by the net itself, and gets a gradient too."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured

_SAME = 1e-5  # of the loss: values that differ by rounding alone


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if _stands_still(measured, thresholds):
        numbers = {"loss": measured.loss.last, "steps": measured.loss.count}
        return Verdict("error", 1, numbers, variant="reference", remedies=("copy-reference",))
    line = measured.code.get("bootstrap")
    if line is None or measured.attached < thresholds["min_steps"]:
        return None
    return Verdict("error", 1, {}, remedies=("detach-target",), line=line)


def _stands_still(measured: Measured, thresholds: Thresholds) -> bool:
    """Whether the loss is the same number in every step, though it sends gradients and the weights move: what it
    compares the net with moves along. A loss that weighs samples, as by an advantage, may be made so."""
    loss = measured.loss
    if loss.count < thresholds["min_constant_steps"] or measured.weighs_samples or measured.before:
        return False
    if loss.nonfinite_since is not None or len(measured.optimisers) != 1:
        return False
    moves = measured.optimisers[0].unmoved.median() == 0 and measured.optimisers[0].gradient.median() > 0
    least = _SAME * abs(loss.last)
    same = max(loss.means) - min(loss.means) < least and max(loss.spreads) < least
    return moves and same


RULE = Rule(
    "targets-attached",
    _judge,
    "Sutton and Barto 2018, Reinforcement Learning: An Introduction, section 9.3; Baird 1995, Residual Algorithms",
    severities=("error",),
    needs=("code",),
    fault_in="loss",
    remedies=("detach-target", "copy-reference"),
    # Of the first three steps: where both sides of a squared error follow from the same parameters, they do in each.
    thresholds={
        "min_steps": Threshold(2, "steps"),
        "min_constant_steps": Threshold(50, "steps"),
    },
    symptoms=("exploding-gradient", "lr-too-high", "plateau", "underfitting", "unshuffled", "lr-too-low"),
)
