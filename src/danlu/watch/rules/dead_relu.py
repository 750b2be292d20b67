"""dead-relu: units that are 0 for every sample get no gradient and never come back."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.layer_facts import Activation
from danlu.watch.measured import Measured
from danlu.watch.reading import is_surrogate, progress


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    dead = [
        one for one in measured.activations.values() if not one.last and _is_dead(one, thresholds, ended=measured.ended)
    ]
    if not dead or measured.nonfinite_at is not None:
        return None
    worst = max(dead, key=lambda one: one.dead.median(3))
    share = worst.dead.median(3)
    # Of a loss that is no measure of progress it is not known whether the net learns.
    learns = progress(measured) > thresholds["max_progress_share"] or is_surrogate(measured)
    if learns and share < thresholds["min_dead_share_error"]:
        return None  # a net that learns can spare them
    severity = "advice" if learns else "error" if share > thresholds["min_dead_share_error"] else "warning"
    numbers = {"share": share, "layer": worst.name, "units": worst.units, "count": len(dead)}
    since = worst.dead.since([value > thresholds["min_dead_share"] for value in worst.dead.values])
    remedies = ({"net.activation": "leaky-relu"}, "lower-rate", "he-init")
    return Verdict(severity, since, numbers, tuple(one.name for one in dead), remedies=remedies)


def _is_dead(one: Activation, thresholds: Thresholds, *, ended: bool) -> bool:
    times = int(thresholds["min_measurements"])
    lasting = 0 if ended else thresholds["min_lasting_steps"]
    return (
        one.kind == "relu"
        and one.units >= thresholds["min_units"]
        and len(one.dead) >= times
        and min(one.dead.values[-times:]) > thresholds["min_dead_share"]
        and one.dead.last_step - one.dead.since([value > thresholds["min_dead_share"] for value in one.dead.values])
        >= lasting
    )


RULE = Rule(
    "dead-relu",
    _judge,
    "Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733",
    severities=("error", "warning", "advice"),
    needs=("graph", "measurements"),
    fault_in="module",
    remedies=({"net.activation": "leaky-relu"}, "lower-rate", "he-init"),
    # A sparse unit answers to few samples, a dead one to none of the last eight batches. Up to a half a wide layer can
    # spare, and for some twenty steps units may sleep that wake again.
    thresholds={
        "min_dead_share": Threshold(0.5, "share", "share"),
        "min_dead_share_error": Threshold(0.9, "share", "most"),
        "min_measurements": Threshold(3, "measurements", "times"),
        "min_lasting_steps": Threshold(20, "steps", "lasting"),
        "min_units": Threshold(4, "units", "units"),
        "max_progress_share": Threshold(0.5, "share", "learnt"),
    },
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "vanishing-gradient", "lr-too-low", "too-few-epochs",
        "no-update",
    ),
)  # fmt: skip
