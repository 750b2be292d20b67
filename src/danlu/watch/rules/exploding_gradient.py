"""exploding-gradient: the gradient grows on its way down, or from step to step, beyond all measure."""

import math
import statistics

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.reading import (
    early_step_size,
    first_heads,
    is_adaptive,
    main_optimiser,
    moving_layers,
    step_size,
)


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if optimiser is None or len(optimiser.gradient) < 3 or optimiser.clip.median() < 1:
        return None  # what is clipped does no harm
    layers = [layer for layer in moving_layers(measured) if "Norm" not in layer.kind and layer.kind != "Embedding"]
    # After steps that threw the weights about, what gradients do is the work of the rate: then only the first one,
    # from before any step, counts.
    calm = early_step_size(measured) < thresholds["max_update_ratio"]
    begin = statistics.median(optimiser.gradient.values[: 3 if calm else 1])
    numbers = {"norm": begin, "first": math.nan, "last": math.nan, "ratio": math.nan, "layers": len(layers)}
    where = tuple(layer.name for layer in layers[:1])
    remedies = ({"train.clip_norm": 1.0}, "smaller-init")
    if len(layers) >= 3:
        low, high = (one.gradient.median() if calm else one.gradient.first for one in (layers[0], layers[-1]))
        if low > thresholds["min_gradient_ratio"] * high > 0 and low > thresholds["min_gradient_norm"] / 100:
            numbers |= {"first": low, "last": high, "ratio": low / high}
            return Verdict("error", layers[0].gradient.steps[0], numbers, where, variant="depth", remedies=remedies)
    # The gradient of a mean of logits' losses is bounded but for the weights it went through; that of a sum or of a
    # squared error grows with the data, and an adaptive optimiser does not care.
    heads = first_heads(measured)
    bounded = bool(heads) and all(head.loss in ("cross-entropy", "bce-logits") and not head.summed for head in heads)
    large = begin > thresholds["min_gradient_norm"] and (bounded or not is_adaptive(optimiser))
    if math.isfinite(begin) and large:
        return Verdict("error", optimiser.gradient.steps[0], numbers, where, remedies=remedies)
    return _spikes(optimiser, measured, thresholds, numbers, where) if calm else None


def _spikes(
    optimiser: Optimiser, measured: Measured, thresholds: Thresholds, numbers: dict[str, float], where: tuple[str, ...]
) -> Verdict | None:
    """Growth that is not the work of large steps."""
    large: list[tuple[int, float]] = []
    usual = math.nan
    for place, (step, norm) in enumerate(optimiser.gradient):
        if place < 5:  # gradients that are large at first, and then fall, are how a training begins
            continue
        before = statistics.median(optimiser.gradient.values[max(0, place - 10) : place])
        if norm > max(thresholds["min_spike_ratio"] * before, thresholds["min_spike_norm"]) and math.isfinite(norm):
            large.append((step, norm))
            usual = before if math.isnan(usual) else usual
    if not large or not step_size(measured) < thresholds["max_update_ratio"] or measured.scaled:
        return None
    numbers |= {"norm": large[0][1], "usual": usual}
    return Verdict("warning", large[0][0], numbers, where, variant="spike", remedies=({"train.clip_norm": 5.0},))


RULE = Rule(
    "exploding-gradient",
    _judge,
    "Pascanu et al. 2013, On the difficulty of training recurrent neural networks, arXiv:1211.5063",
    severities=("error", "warning"),
    needs=("optimizer",),
    fault_in="module",
    remedies=({"train.clip_norm": 1.0}, "smaller-init", {"train.clip_norm": 5.0}),
    # With inputs and targets of size 1 a gradient has a norm between 0.01 and 100; a thousand means a product of
    # weights that grows. From the first layer to the last a factor of a thousand cannot be met by one learning rate.
    thresholds={
        "min_gradient_norm": Threshold(1000.0, "norm", "norm"),
        "min_gradient_ratio": Threshold(1000.0, "times", "ratio"),
        "min_spike_ratio": Threshold(100.0, "times", "growth"),
        "min_spike_norm": Threshold(50.0, "norm", "spike"),
        "max_update_ratio": Threshold(0.1, "share", "step"),
    },
    reads="start",
    symptoms=(
        "output-collapsed", "nonfinite", "lr-too-high", "dead-relu", "saturated", "plateau", "underfitting",
        "clip-too-tight", "vanishing-gradient", "too-few-epochs",
    ),
)  # fmt: skip
