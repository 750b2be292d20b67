"""saturated: a sigmoid or tanh stands at its bounds, where its slope is nearly 0."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.layer_facts import Activation
from danlu.watch.measured import Measured
from danlu.watch.reading import progress


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if len(measured.optimisers) > 1:
        return None  # the pictures of a generator are black and white
    stuck = [one for one in measured.activations.values() if not one.last and _is_stuck(one, thresholds)]
    if not stuck:
        return None
    worst = max(stuck, key=lambda one: one.saturated.median(5))
    share = worst.saturated.median(5)
    # Units that training itself has driven to their bounds while the loss fell do their work there.
    driven = worst.saturated.first < thresholds["min_saturated_share"]
    most = thresholds["max_driven_progress_share_warning" if driven else "max_progress_share_warning"]
    learns = progress(measured) > most
    since = worst.saturated.since([value > thresholds["min_saturated_share"] for value in worst.saturated.values])
    numbers = {"share": share, "kind": worst.kind, "layer": worst.name, "count": len(stuck)}
    remedies = ({"net.activation": "relu"}, {"net.norm": "batch"}, "smaller-init")
    return Verdict(
        "advice" if learns else "warning", since, numbers, tuple(one.name for one in stuck), remedies=remedies
    )


def _is_stuck(one: Activation, thresholds: Thresholds) -> bool:
    times = int(thresholds["min_measurements"])
    return len(one.saturated) >= times and min(one.saturated.values[-times:]) > thresholds["min_saturated_share"]


RULE = Rule(
    "saturated",
    _judge,
    "Glorot and Bengio 2010, AISTATS; Rakitianskaia and Engelbrecht 2015, Measuring Saturation in Neural Networks",
    severities=("warning", "advice"),
    needs=("graph", "measurements"),
    fault_in="module",
    remedies=({"net.activation": "relu"}, {"net.norm": "batch"}, "smaller-init"),
    # Within 3 % of a bound the slope is below an eighth of its best. Gates and trained sigmoids stand there in part;
    # three quarters of all of them, time after time, pass on hardly any gradient.
    thresholds={
        "min_saturated_share": Threshold(0.75, "share", "share"),
        "min_measurements": Threshold(4, "measurements", "times"),
        "max_progress_share_warning": Threshold(0.8, "share", "learnt"),
        "max_driven_progress_share_warning": Threshold(0.3, "share", "fell"),
    },
    symptoms=(
        "output-collapsed", "vanishing-gradient", "plateau", "underfitting", "lr-too-low", "too-few-epochs",
        "exploding-gradient",
    ),
)  # fmt: skip
