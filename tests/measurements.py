"""Measurements made by hand, as the probes would have written them: what the rules are put to in their own tests."""

import math
from collections.abc import Callable, Sequence

from danlu.watch.contract import Rule, Verdict
from danlu.watch.measured import Evaluation, Head, Layer, Measured, Optimiser


def verdict(rule: Rule, measured: Measured) -> Verdict | None:
    """What a rule says with its own thresholds."""
    return rule.judge(measured, rule.thresholds)


def training(
    loss: Callable[[int], float],
    steps: int,
    *,
    rate: float = 0.1,
    kind: str = "SGD",
    update: float = 1e-3,
    classes: int = 10,
    ended: bool = True,
    momentum: float = 0.0,
) -> Measured:
    """A classifier of two layers, trained for `steps` steps whose losses `loss` gives; classes are equally frequent."""
    measured = Measured(step=steps, backwards=steps, ended=ended)
    for step in range(1, steps + 1):
        measured.loss.add(loss(step))
    optimiser = Optimiser(kind, steps=steps, highest_rate=rate, momentum=momentum, owned=4)
    measured.optimisers.append(optimiser)
    for name in ("first", "last"):
        layer = measured.layers[name] = Layer(name, "Linear", inputs=64, outputs=64, fresh=True, called=True)
        for step in range(1, steps + 1, max(1, steps // 40)):
            layer.gradient.add(step, 0.2)
            layer.weight.add(step, 4.0)
            layer.update.add(step, update)
    for step in range(1, steps + 1, max(1, steps // 40)):
        optimiser.rate.add(step, rate)
        optimiser.unmoved.add(step, float(update == 0))
        optimiser.gradient.add(step, 0.3)
        measured.noise.add(step, 0.5)
    if classes:
        measured.labels.kind, measured.labels.outputs = "classes", classes
        measured.labels.counts = dict.fromkeys(range(classes), 100)
        measured.labels.seen = 100 * classes
        measured.first_loss = loss(1)
        measured.heads.append(head(value=loss(1), shape=(32, classes)))
    return measured


def head(loss: str = "cross-entropy", *, value: float, shape: tuple[int, ...], labelled: bool = True) -> Head:
    """A loss that hangs on the net as it should."""
    return Head(
        step=1, loss=loss, between=(), summed=False, shape=shape, target_shape=shape[:1], broadcast=None, low=-1.0,
        high=1.0, target_low=0.0, target_high=1.0, target_integer=True, value=value, batch=shape[0], negated=False,
        across_batch=False, one_hot=False, row_sum=math.nan, labelled=labelled,
    )  # fmt: skip


def validated(measured: Measured, losses: Sequence[float], *, samples: int, error: float = math.nan) -> Measured:
    """The same with validation passes spread over its steps."""
    for number, loss in enumerate(losses, 1):
        step = number * measured.step // len(losses)
        measured.evaluations.append(
            Evaluation(step, 1, samples, loss, math.nan, training=False, overlap=0.0, error=error)
        )
    return measured
