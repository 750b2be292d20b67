"""positions-missing: a net with attention answers the same in whatever order the places of a sequence stand."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for trial in measured.interventions.values():
        if trial.order <= thresholds["max_moved_share"]:
            where = tuple(name for name in (trial.embeds or trial.name,) if name)
            return Verdict("warning", 1, {"share": trial.order}, where, remedies=("add-positions",))
    return None


RULE = Rule(
    "positions-missing",
    _judge,
    "Vaswani et al. 2017, Attention Is All You Need, section 3.5",
    severities=("warning",),
    needs=("tried",),
    fault_in="call",
    remedies=("add-positions",),
    # Sums in another order differ in their last digits. Learnt positions begin at a fiftieth of the size of what they
    # are added to, and move an answer by a hundredth.
    thresholds={"max_moved_share": Threshold(2e-4, "share")},
    reads="start",
    symptoms=("underfitting", "plateau", "too-few-epochs", "overfitting", "lr-too-low", "parameters-unused"),
)
