"""Measurements made by hand, as the probes would have written them: what the rules are put to in their own tests."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from danlu.base.words import LANGUAGES, speaking
from danlu.watch.contract import Rule, Verdict, finding_of
from danlu.watch.layer_facts import Layer
from danlu.watch.loss_facts import Head
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.pass_facts import Evaluation
from danlu.watch.series import Series

Build = Callable[..., Measured]


def verdict(rule: Rule, measured: Measured) -> Verdict | None:
    """What a rule says with its own thresholds."""
    return rule.judge(measured, rule.numbers)


def told(rule: Rule, measured: Measured) -> Verdict:
    """What a rule says where it must say something: of a severity and with remedies that it declares, and put into
    words in both languages, which takes every number that its title names."""
    found = verdict(rule, measured)
    assert found is not None, f"{rule.id} says nothing"
    assert found.severity in rule.severities
    for remedy in found.remedies:
        declared = {one if isinstance(one, str) else frozenset(one) for one in rule.remedies}
        assert (remedy if isinstance(remedy, str) else frozenset(remedy)) in declared
    for language in LANGUAGES:
        with speaking(language):
            assert finding_of(rule, found).title
    return found


def check_threshold(
    rule: Rule, build: Build, name: str, inside: Mapping[str, Any], beyond: Mapping[str, Any]
) -> Verdict | None:
    """A threshold is where it says: `build` gives other words beyond it than just inside it, and those of the inside
    again once the threshold itself is moved on: a min_ up, a max_ down, by one or by a quarter."""
    value = rule.thresholds[name].value
    away = 1 if name.startswith("min_") else -1
    moved = value + away if isinstance(value, int) else value * (1 + 0.25 * away)
    at_ease, found = verdict(rule, build(**inside)), verdict(rule, build(**beyond))
    assert said(found) != said(at_ease), f"{rule.id} does not mind {name}"
    assert said(rule.judge(build(**beyond), {**rule.numbers, name: moved})) == said(at_ease), f"{name} decides nothing"
    return at_ease


def said(found: Verdict | None) -> tuple[str, str] | None:
    """What of a verdict a threshold may change."""
    return (found.severity, found.variant) if found else None


def series(values: Sequence[float], steps: Sequence[int] = ()) -> Series:
    """Numbers at these steps; at 1, 2, 3 … where none are given."""
    made = Series()
    for step, value in zip(steps or range(1, len(values) + 1), values, strict=True):
        made.add(step, value)
    return made


def fallen(share: float, steps: int = 100, *, start: float = 2.3, **settings: Any) -> Measured:
    """A training whose loss fell by `share` of itself after five steps, and stands there since."""
    return training(lambda step: start if step <= 5 else start * (1 - share), steps, **settings)


def layer(name: str, *, gradient: float = 0.2, steps: int = 10, **facts: Any) -> Layer:
    """A linear layer of 64 units that an optimiser moves, with the same gradient at each of `steps` steps."""
    made = Layer(name, "Linear", **{"inputs": 64, "outputs": 64, "fresh": True, "called": True, **facts})
    made.gradient, made.gradient_zero = series([gradient] * steps), series([0.0] * steps)
    return made


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


def head(
    loss: str = "cross-entropy",
    *,
    value: float = 2.3,
    shape: tuple[int, ...] = (32, 10),
    labelled: bool = True,
    **facts: Any,
) -> Head:
    """A loss that hangs on the net as it should, but for `facts`."""
    made = Head(
        step=1, loss=loss, between=(), summed=False, shape=shape, target_shape=shape[:1], broadcast=None, low=-1.0,
        high=1.0, target_low=0.0, target_high=1.0, target_integer=True, value=value, batch=shape[0], negated=False,
        across_batch=False, one_hot=False, row_sum=math.nan, labelled=labelled,
    )  # fmt: skip
    return replace(made, **facts)


def validated(measured: Measured, losses: Sequence[float], *, samples: int, error: float = math.nan) -> Measured:
    """The same with validation passes spread over its steps."""
    for number, loss in enumerate(losses, 1):
        step = number * measured.step // len(losses)
        measured.evaluations.append(
            Evaluation(step, 1, samples, loss, math.nan, training=False, overlap=0.0, error=error)
        )
    return measured
