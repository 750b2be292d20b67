"""What several rules ask of the measurements."""

import itertools
import math
import statistics

from danlu.watch.layer_facts import Layer
from danlu.watch.loss_facts import Head
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.pass_facts import Evaluation

CLASS_LOSSES = ("cross-entropy", "nll")
SQUARED_LOSSES = ("mse", "l1", "huber", "difference")
# Operations that change the form of a tensor and not its numbers.
HANDS_ON = {"View", "UnsafeView", "Squeeze", "Unsqueeze", "Clone", "ToCopy", "Transpose", "Permute", "Select", "Slice"}
_UNITS = ("Linear", "RNN", "LSTM", "GRU")
_EARLY = 50  # steps
ADAPTIVE = ("Adam", "AdamW", "RAdam", "NAdam", "Adamax", "Adagrad", "RMSprop", "Adadelta", "Rprop", "Adafactor", "Lion")


def steady_heads(measured: Measured) -> list[Head]:
    """The newest reading of each loss that was seen in at least two of the first steps, or in the only one there was.

    How a loss hangs on the net does not change later on, while what it did wrong then may have spoilt the numbers.
    """
    early = [head for head in measured.heads if head.step <= _EARLY] or measured.heads
    by_place: dict[tuple[str, tuple[str, ...]], list[Head]] = {}
    for head in early:
        by_place.setdefault((head.loss, head.between), []).append(head)
    steps = len({head.step for head in early})
    return [heads[-1] for heads in by_place.values() if len({head.step for head in heads}) >= min(2, steps)]


def first_heads(measured: Measured) -> list[Head]:
    """The losses of the first step."""
    return [head for head in measured.heads if head.step == 1]


def is_surrogate(measured: Measured) -> bool:
    """Whether the value of the loss is no measure of progress: it was below 0, samples are weighed by returns or
    advantages (REINFORCE), or the targets move while it is trained (Q-learning, a critic)."""
    # Sorted data move too, and come in the same order again.
    moves = measured.labels.kind == "numbers" and measured.labels.moved > 5 and not measured.same_order
    return measured.loss.lowest < 0 or measured.weighs_samples or moves or measured.labels.made


def progress(measured: Measured) -> float:
    """How far the loss has fallen, as a share of where it began; NaN while unknown, negative where it rose."""
    loss = measured.loss
    if loss.count < 2 or not math.isfinite(loss.first):
        return math.nan
    begin = first_loss(measured)
    return (begin - loss.end(0.1)) / abs(begin) if begin else math.nan


def first_loss(measured: Measured) -> float:
    """Where the loss began. One batch can lie low by chance, and the losses after it can be those of a first step that
    went wrong: the median of the first five, but hardly more than the very first."""
    earliest = [value for value in measured.loss.earliest if math.isfinite(value)]
    if not earliest:
        return math.nan
    middle = statistics.median(earliest)
    return min(middle, 1.2 * earliest[0]) if earliest[0] > 0 else middle


def guess_loss(measured: Measured) -> float:
    """The loss of knowing how the targets are spread and nothing else; NaN where that is not known.

    Where the loss is the only one and carries a factor (a sum over the batch, a half), so does the guess.
    """
    heads = {(head.loss, head.between, head.shape[1:]): head.value for head in reversed(first_heads(measured))}
    if len(heads) > 1:
        return math.nan
    guess = chance_loss(measured)
    guess = spread_of_targets(measured) if math.isnan(guess) else guess
    begin, value = measured.first_loss, next(iter(heads.values()), math.nan)
    factor = begin / value if value > 0 and begin > 0 else 1.0
    return guess * factor if math.isfinite(factor) and not 0.8 < factor < 1.25 else guess


def reference_loss(measured: Measured) -> float:
    """What the loss has to get below before anything was learnt: where it began or, if lower, what guessing gives."""
    guess, begin = guess_loss(measured), first_loss(measured)
    return begin if math.isnan(guess) or measured.labels.dense else min(begin, guess)


def chance_loss(measured: Measured) -> float:
    """The loss of answering each class as often as it occurs: the entropy of the labels; NaN where there are none,
    where some were not counted, or where the loss weighs the classes, whose counts are not what it sees then.
    """
    labels = measured.labels
    total = sum(labels.counts.values())
    if labels.kind not in ("classes", "binary") or labels.weighted or labels.uncounted or not total:
        return math.nan
    return -sum(count / total * math.log(count / total) for count in labels.counts.values() if count)


def moving_layers(measured: Measured) -> list[Layer]:
    """Layers with a weight that an optimiser moves, in order."""
    return [layer for layer in measured.layers.values() if layer.trainable and layer.inputs and len(layer.gradient)]


def narrow_layer(measured: Measured, classes: float) -> Layer | None:
    """A hidden layer that everything goes through, with fewer units than two states each would need to tell so many
    classes or more apart; of a convolution, which has many places, one channel."""
    if measured.labels.kind != "classes" or measured.labels.outputs < classes:
        return None
    hidden = [layer for layer in moving_layers(measured) if layer.name in measured.net.bottlenecks]
    most = math.log2(measured.labels.outputs)
    narrow = [layer for layer in hidden if layer.width < most and (layer.kind in _UNITS or layer.width == 1)]
    return min(narrow, key=lambda layer: layer.width, default=None)


def step_size(measured: Measured, newest: int = 5) -> float:
    """The median over the layers of the newest update-to-weight ratios; NaN where nothing was measured.

    A weight that has shrunk since counts with its first size: steps do not grow because decay has eaten the weight.
    """
    ratios = sorted(
        layer.update.median(newest) * min(1.0, layer.weight.median(newest) / layer.weight.first)
        for layer in moving_layers(measured)
        if layer.kind != "Embedding" and layer.weight.first > 0
    )
    ratios = [ratio for ratio in ratios if math.isfinite(ratio)]
    return ratios[len(ratios) // 2] if ratios else math.nan


def main_optimiser(measured: Measured) -> Optimiser | None:
    """The optimiser that made most steps."""
    return max(measured.optimisers, key=lambda one: one.steps, default=None)


def is_adaptive(optimiser: Optimiser) -> bool:
    """Whether the size of its steps does not depend on that of the gradient."""
    return optimiser.kind in ADAPTIVE


def first_kinds(measured: Measured) -> list[str]:
    """Of the first two layers that are called: "norm" for a normalisation, else its kind."""
    called = [layer for layer in measured.layers.values() if layer.called][:2]
    return ["norm" if "Norm" in layer.kind else layer.kind for layer in called]


def target_bounds(measured: Measured) -> tuple[float, float]:
    """The smallest and the largest target seen of the loss whose labels are counted; NaN where none was."""
    same = [
        head
        for head in measured.heads
        if head.labelled and (head.loss in SQUARED_LOSSES) == (measured.labels.kind == "numbers")
    ]
    lows = [head.target_low for head in same if math.isfinite(head.target_low)]
    highs = [head.target_high for head in same if math.isfinite(head.target_high)]
    if measured.labels.seen or measured.labels.out_of_range is not None:
        lows.append(measured.labels.low)
        highs.append(measured.labels.high)
    return min(lows, default=math.nan), max(highs, default=math.nan)


def largest_first_spread(measured: Measured) -> float:
    """The largest spread of a hidden layer's output before the first step, for inputs of size 1."""
    layers = moving_layers(measured)[:-1]
    size = math.hypot(measured.inputs.mean.first, measured.inputs.std.first)
    size = max(1.0, size) if math.isfinite(size) else 1.0
    spreads = [layer.std.first for layer in layers if layer.std.steps[:1] == [1]]
    return max((spread for spread in spreads if not math.isnan(spread)), default=0.0) / size


def begins_blocked(measured: Measured) -> bool:
    """Whether an activation lets no gradient through before the first step: no step can be to blame for that."""
    hidden = [one for one in measured.activations.values() if not one.last]
    return any(one.saturated.first > 0.75 or (one.kind == "relu" and one.zero.first > 0.97) for one in hidden)


def early_step_size(measured: Measured) -> float:
    """The largest of the median update-to-weight ratios of the first ten measured steps."""
    layers = [layer for layer in moving_layers(measured) if layer.kind != "Embedding" and layer.weight.first > 0]
    largest = math.nan
    for place in range(10):
        ratios = sorted(
            layer.update.values[place] * min(1.0, layer.weight.values[place] / layer.weight.first)
            for layer in layers
            if len(layer.update) > place and len(layer.weight) > place
        )
        ratios = [ratio for ratio in ratios if math.isfinite(ratio)]
        if ratios:
            middle = ratios[len(ratios) // 2]
            largest = middle if math.isnan(largest) else max(largest, middle)
    return largest


def squashing(measured: Measured) -> str:
    """ "sigmoid" or "tanh" where most activations of the net are of that kind, else nothing."""
    kinds = [one.kind for one in measured.activations.values() if not one.last]
    return next((kind for kind in ("sigmoid", "tanh") if kinds.count(kind) > len(kinds) / 2), "")


def late_gain(measured: Measured) -> tuple[float, float]:
    """By which share of itself the loss fell in its last quarter, and the standard error of that: each quarter is cut
    in four, and the parts of one differ by chance and by its own fall. A loss that rose and came back has gained
    nothing: the lower one of the two quarters before is what counts."""
    second, third, last = (_parts(measured.loss.part(start, start + 0.25)) for start in (0.25, 0.5, 0.75))
    third = min(second, third, key=statistics.fmean)
    earlier, now = statistics.fmean(third), statistics.fmean(last)
    if not earlier or not math.isfinite(earlier):
        return math.nan, math.nan
    spread = [statistics.variance(parts) / len(parts) if len(parts) > 1 else 0.0 for parts in (third, last)]
    return (earlier - now) / abs(earlier), math.sqrt(sum(spread)) / abs(earlier)


def expected_gain(measured: Measured) -> tuple[float, bool]:
    """By how much the loss should fall if as many steps again were made, and whether it surely falls.

    A loss curve is nearly straight over the logarithm of the steps, and bends off: the last doubling gained so much,
    the one before it so much, and the next one gains in the same proportion, but not more than the last.
    """
    quarter, half, end = (_parts(measured.loss.part(*bounds)) for bounds in ((0.2, 0.3), (0.4, 0.6), (0.8, 1.0)))
    now = statistics.fmean(end)
    last, before = statistics.fmean(half) - now, statistics.fmean(quarter) - statistics.fmean(half)
    if not last > 0:
        return 0.0, False
    error = math.sqrt(sum(statistics.variance(one) / len(one) if len(one) > 1 else 0.0 for one in (half, end)))
    gain = min(now, last * min(1.0, last / before if before > 0 else 1.0))
    return gain, last > 2 * error or validation_falls(measured)


def validation_has_turned(measured: Measured) -> bool:
    """Whether the validation loss was lowest before the last two passes."""
    losses = [one.loss for one in held_out(measured) if math.isfinite(one.loss)]
    return len(losses) >= 4 and min(losses[:-2]) < min(losses[-2:])


def _parts(means: list[float]) -> list[float]:
    """The means of up to four parts of equal length."""
    count = min(4, len(means))
    bounds = [round(place * len(means) / count) for place in range(count + 1)]
    return [statistics.fmean(means[start:stop]) for start, stop in itertools.pairwise(bounds)]


def is_flat(measured: Measured, share: float) -> bool:
    """Whether the loss has gained less than `share` of itself in its last quarter, or no more than chance does; a loss
    that falls steadily gains four times its standard error."""
    gain, error = late_gain(measured)
    return gain < max(share, 2 * error) and not validation_falls(measured)


def validation_falls(measured: Measured) -> bool:
    """Whether the newest validation loss is the lowest, by three hundredths at least."""
    losses = [one.loss for one in held_out(measured) if math.isfinite(one.loss)]
    return len(losses) >= 2 and losses[-1] < min(losses[:-1]) - 0.03 * abs(losses[-2])


def held_out(measured: Measured) -> list[Evaluation]:
    """The evaluation passes over samples that were not trained on, as far as that is known.

    Of a pass before the first step nothing is known: it counts where no later one was over training samples.
    """
    passes = [one for one in measured.evaluations if not one.overlap > 0.5]
    known = any(one.overlap <= 0.5 for one in passes) or len(passes) == len(measured.evaluations)
    return passes if known else measured.evaluations


def evaluates_all_along(measured: Measured) -> bool:
    """Whether a net is asked without gradients in most steps: a policy that acts, a net that gives its own targets."""
    steps = sorted({one.step for one in measured.evaluations})
    return len(steps) > 2 and len(steps) > 0.5 * (steps[-1] - steps[0] + 1)


def spread_of_targets(measured: Measured) -> float:
    """The squared error of answering the mean target always; NaN where the loss is no squared error."""
    labels = measured.labels
    squared = any(head.loss in ("mse", "difference") for head in measured.heads)
    if any(math.prod(head.target_shape[1:]) > 1 for head in measured.heads):
        return math.nan  # of several numbers a sample only the mean is known
    return labels.std**2 if labels.kind == "numbers" and squared and labels.std > 0 else math.nan
