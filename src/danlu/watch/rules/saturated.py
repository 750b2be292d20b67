"""saturated: a sigmoid or tanh stands at its bounds, where its slope is nearly 0."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Activation, Measured
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
    driven = worst.saturated.first < thresholds["share"]
    learns = progress(measured) > thresholds["fell" if driven else "learnt"]
    since = worst.saturated.since([value > thresholds["share"] for value in worst.saturated.values])
    numbers = {"share": share, "kind": worst.kind, "layer": worst.name, "count": len(stuck)}
    remedies = ({"net.activation": "relu"}, {"net.norm": "batch"}, "smaller-init")
    return Verdict(
        "advice" if learns else "warning", since, numbers, tuple(one.name for one in stuck), remedies=remedies
    )


def _is_stuck(one: Activation, thresholds: Thresholds) -> bool:
    times = int(thresholds["times"])
    return len(one.saturated) >= times and min(one.saturated.values[-times:]) > thresholds["share"]


RULE = Rule(
    "saturated",
    _judge,
    "Glorot and Bengio 2010; Rakitianskaia and Engelbrecht 2015, Measuring Saturation in Neural Networks",
    # Within 3 % of a bound the slope is below an eighth of its best. Gates and trained sigmoids stand there in part;
    # three quarters of all of them, time after time, pass on hardly any gradient.
    thresholds={"share": 0.75, "times": 4, "learnt": 0.8, "fell": 0.3},
    symptoms=("vanishing-gradient", "plateau", "underfitting", "lr-too-low", "too-few-epochs", "exploding-gradient"),
)
