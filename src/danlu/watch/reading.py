"""What several rules ask of the measurements."""

import math

from danlu.watch.measured import Head, Layer, Measured, Optimiser

CLASS_LOSSES = ("cross-entropy", "nll")
ADAPTIVE = ("Adam", "AdamW", "RAdam", "NAdam", "Adamax", "Adagrad", "RMSprop", "Adadelta", "Rprop", "Adafactor", "Lion")


def steady_heads(measured: Measured) -> list[Head]:
    """The newest reading of each loss that was seen in at least two steps, or in the only one there was."""
    by_place: dict[tuple[str, tuple[str, ...]], list[Head]] = {}
    for head in measured.heads:
        by_place.setdefault((head.loss, head.between), []).append(head)
    steps = len({head.step for head in measured.heads})
    return [heads[-1] for heads in by_place.values() if len({head.step for head in heads}) >= min(2, steps)]


def first_heads(measured: Measured) -> list[Head]:
    """The losses of the first step."""
    return [head for head in measured.heads if head.step == 1]


def progress(measured: Measured) -> float:
    """How far the loss has fallen, as a share of where it began; NaN while unknown, negative where it rose."""
    loss = measured.loss
    if loss.count < 2 or not math.isfinite(loss.first):
        return math.nan
    begin = max(loss.first, loss.begin(0.02))
    return (begin - loss.end(0.1)) / abs(begin) if begin else math.nan


def chance_loss(measured: Measured) -> float:
    """The loss of answering each class as often as it occurs: the entropy of the labels; NaN where there are none."""
    labels = measured.labels
    total = sum(labels.counts.values())
    if labels.kind not in ("classes", "binary") or not total:
        return math.nan
    return -sum(count / total * math.log(count / total) for count in labels.counts.values() if count)


def moving_layers(measured: Measured) -> list[Layer]:
    """Layers with a weight that an optimiser moves, in order."""
    return [layer for layer in measured.layers.values() if layer.trainable and layer.inputs and len(layer.gradient)]


def step_size(measured: Measured, newest: int = 5) -> float:
    """The median over the layers of the newest update-to-weight ratios; NaN where nothing was measured."""
    ratios = sorted(
        ratio
        for layer in moving_layers(measured)
        if layer.kind != "Embedding" and math.isfinite(ratio := layer.update.median(newest))
    )
    return ratios[len(ratios) // 2] if ratios else math.nan


def main_optimiser(measured: Measured) -> Optimiser | None:
    """The optimiser that made most steps."""
    return max(measured.optimisers, key=lambda one: one.steps, default=None)


def is_adaptive(optimiser: Optimiser) -> bool:
    """Whether the size of its steps does not depend on that of the gradient."""
    return optimiser.kind in ADAPTIVE
