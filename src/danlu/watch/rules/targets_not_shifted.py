"""targets-not-shifted: a net is asked for the very token, or number, that it is given."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for trial in measured.interventions.values():
        # A net that sees later places too may be an autoencoder; one that does not is meant to go on with a sequence.
        causal = trial.later <= thresholds["max_moved_share"]
        if trial.lag == 0 and causal and trial.tokens and trial.places >= thresholds["min_places"]:
            where = (trial.name,) if trial.name else ()
            return Verdict("error", 1, {"places": trial.places}, where, remedies=("shift-targets",))
        if trial.few and trial.lag == 0 and trial.places >= thresholds["min_places"]:
            where = (trial.name,) if trial.name else ()
            return Verdict("error", 1, {}, where, variant="masked", remedies=("mask-inputs",))
        if trial.lag == 2 and trial.tokens and trial.places >= thresholds["min_places"]:
            where = (trial.name,) if trial.name else ()
            return Verdict("error", 1, {"places": trial.places}, where, variant="twice", remedies=("shift-once",))
    copied = measured.copied
    if copied.steps >= thresholds["min_steps"]:
        numbers = {"place": copied.place + 1, "places": copied.places}
        variant = "window" if copied.in_time else "input"
        return Verdict("error", 1, numbers, variant=variant, remedies=(_REMEDIES[variant],))
    return None


_REMEDIES = {"window": "end-window-before", "input": "drop-target-column"}

RULE = Rule(
    "targets-not-shifted",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 10.2.1",
    severities=("error",),
    needs=("tried",),
    fault_in="loss",
    remedies=("shift-targets", "shift-once", "mask-inputs", *_REMEDIES.values()),
    thresholds={
        "max_moved_share": Threshold(0.001, "share"),
        "min_places": Threshold(4, "places"),
        "min_steps": Threshold(5, "steps"),
    },
    reads="start",
    symptoms=("too-few-epochs", "plateau", "lr-too-low", "overfitting", "train-test-overlap"),
)
