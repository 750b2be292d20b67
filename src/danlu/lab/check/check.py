"""check: looks at a recipe in seconds, before hours are spent on it."""

import copy
import math
import time
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, fail
from danlu.base.memory import memory_guard
from danlu.base.records import Finding
from danlu.base.rule_names import rule_label
from danlu.base.seeds import preserved_randomness
from danlu.base.words import say
from danlu.lab.check.one_batch import LossFunction, check_batch
from danlu.lab.check.outcome import Check, CheckLine, gravest
from danlu.lab.check.rate_test import RateTest
from danlu.lab.check.rates import judged_rate, try_rates
from danlu.lab.check.rehearsal import NUMBERS, RULES, ByHeart, Rehearsed, first_loss, learn_by_heart, rehearse_training
from danlu.run.own.training import OwnTraining, set_in
from danlu.run.settings.draft import RecipeSource, draft_recipe, net_and_data
from danlu.run.setup import Setup, load_given_weights, set_up

# Answers of size 1 add half a unit to a squared error of 1; four times it is what answers of size 1.7 cost.
_FAR = 4.0
# A net with fewer parameters to a sample than these cannot be asked to know it by heart.
_ROOM = 20
_HALF, _SOME, _NOTHING = 0.5, 0.95, 0.98
# Standard deviations of outputs between which no signal fades or swells: those of bad-init.
_LEAST_SIGNAL, _MOST_SIGNAL = 0.005, 20.0


@memory_guard("any")
def check(
    net: object = None,
    data: object = None,
    *,
    recipe: RecipeSource = None,
    batch: object = None,
    loss_fn: LossFunction | None = None,
    **settings: Any,
) -> Check:
    """Look at a training before it is one: shapes, data, first loss, gradients, one batch by heart, rate.

    `net`, `data`, `recipe` and `settings` are those of `fit`. Takes seconds; nothing given is changed, nothing is
    written. What the first steps show is judged by the rules of watch; the loss at the start is held against that of
    knowing nothing (ln C for C classes; the mean square of the targets), and the rate against a short range test where
    that takes no more than seconds. With `batch`, a pair of inputs and targets, any module is checked by that alone:
    what the graph of `loss_fn(net(inputs), targets)` shows, and whether answers of a copy change with later positions,
    other samples or padding. Raises UserError for what `fit` would refuse.

    >>> found = check("mlp", "digits", lr=0.1)
    >>> found.passed, [line.check for line in found.lines][:3]
    (True, ['shapes', 'data', 'first-loss'])
    """
    begin = time.perf_counter()
    if batch is not None:
        beside = {"data": data, "recipe": recipe, **settings}
        if given := [name for name, value in beside.items() if value is not None]:
            fail("check.batch-alone", found=", ".join(given))
        return check_batch(net, batch, loss_fn)
    if loss_fn is not None:
        settings["loss_fn"] = loss_fn  # which says what to write for a recipe
    net, data = net_and_data(net, data)
    drafted = draft_recipe(net, data, recipe, settings)
    own = copy.deepcopy(net) if isinstance(net, nn.Module) else None
    setup = set_in(set_up(drafted, None if isinstance(data, str | Path) else data, own), OwnTraining())
    load_given_weights(setup.net, setup.recipe.net.weights)
    with preserved_randomness():
        found, expected = first_loss(setup)
        rehearsed = rehearse_training(setup)
        share = _wanted_share(setup)
        by_heart = learn_by_heart(setup, share)
        rates = try_rates(setup, net if isinstance(net, nn.Module) else None)
    extra = [_far_first_loss(setup, found, expected), _not_by_heart(setup, by_heart, share)]
    if rates is not None and not {one.rule for one in rehearsed.findings} & {"lr-too-high", "lr-too-low"}:
        extra.append(judged_rate(rates, setup))
    findings = [*rehearsed.findings, *(finding for finding in extra if finding is not None)]
    lines = [
        _shapes(setup),
        _data(setup, rehearsed, findings),
        _first_loss(setup, found, expected, findings),
        _gradient(rehearsed, findings),
        _signal(rehearsed, findings),
        _one_batch(by_heart, share, findings),
        _rate(setup, rehearsed, rates, findings),
    ]
    name = setup.recipe.net.label
    return Check(str(name), setup.data.name, lines, findings, time.perf_counter() - begin)


def _of(line: str, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.rule in (*RULES.get(line, ()), line)]


def _line(
    check: str,
    findings: list[Finding],
    found: Fault,
    expected: Fault | None,
    numbers: dict[str, Any],
    *,
    inside: bool | None = None,
) -> CheckLine:
    """The line of what was looked at. What is expected stands only beside a number that it judges: where the findings
    are about something else, and the number is as it should be (`inside`), the line names them instead.

    `inside` None: the number is judged by the rules in NUMBERS alone. A number that is not as expected, without a rule
    that minds it, leaves the line open.
    """
    own = _of(check, findings)
    judged = any(finding.rule in (*NUMBERS.get(check, ()), check) for finding in own)
    fine = not judged if inside is None else inside
    if own and fine:
        expected = Fault("check.but", {"rules": ", ".join(dict.fromkeys(rule_label(finding.rule) for finding in own))})
    return CheckLine(check, "open" if not own and not fine else gravest(own), found, expected, numbers)


def _shapes(setup: Setup) -> CheckLine:
    description = setup.description
    shape = "×".join(map(str, setup.data.sample_shape))
    output = str(description.output_shape).strip("(),") or "1"
    facts = {"input": shape, "output": output.replace(", ", "×"), "parameters": description.parameters}
    return CheckLine("shapes", "ok", Fault("check.shapes", facts), None, facts)


def _data(setup: Setup, rehearsed: Rehearsed, findings: list[Finding]) -> CheckLine:
    inputs, labels = rehearsed.measured.inputs, rehearsed.measured.labels
    looked = min(rehearsed.steps * (setup.recipe.train.batch_size or 1), setup.data.sizes["train"])
    numbers: dict[str, Any] = {"samples": looked, "train": setup.data.sizes["train"]}
    if not inputs.floating or not len(inputs.mean):
        found, expected = Fault("check.data-tokens", numbers), None
    else:
        numbers |= {"mean": inputs.mean.median(), "std": inputs.std.median()}
        found, expected = Fault("check.data", numbers), Fault("check.data-expected")
    if labels.kind == "classes" and labels.counts:
        numbers["classes"] = len(labels.counts)
    return _line("data", findings, found, expected, numbers)


def _first_loss(setup: Setup, found: float, expected: float, findings: list[Finding]) -> CheckLine:
    numbers = {"loss": found, "expected": None if math.isnan(expected) else expected}
    if math.isnan(expected):
        return _line("first-loss", findings, Fault("check.first-loss", {"loss": found}), None, numbers)
    id = {"regression": "check.first-loss-regression"}.get(setup.data.task, "check.first-loss-classes")
    outputs = 2 if setup.recipe.loss.name == "bce" else setup.data.outputs
    wanted = Fault(id, {"expected": expected, "outputs": outputs})
    return _line("first-loss", findings, Fault("check.first-loss", {"loss": found}), wanted, numbers)


def _far_first_loss(setup: Setup, found: float, expected: float) -> Finding | None:
    """watch's rule knows the classes' losses; of a regression's the check itself says what is far off."""
    if not math.isfinite(found):
        return _finding("first-loss", "error", {"loss": found}, "nonfinite", ("check.remedy-inputs",))
    if setup.data.task != "regression" or not found > _FAR * expected + 1e-12:
        return None
    numbers = {"loss": found, "expected": expected}
    return _finding("first-loss", "warning", numbers, "far", ("check.remedy-first-weights",))


def _gradient(rehearsed: Rehearsed, findings: list[Finding]) -> CheckLine:
    net = rehearsed.measured.net
    reached = net.trainable - len({*net.unreached, *net.unoptimised})
    numbers = {"reached": reached, "tensors": net.trainable}
    found, expected = Fault("check.gradient", numbers), Fault("check.gradient-expected")
    return _line("gradient", findings, found, expected, numbers, inside=reached == net.trainable)


def _signal(rehearsed: Rehearsed, findings: list[Finding]) -> CheckLine:
    layers = [layer for layer in rehearsed.measured.layers.values() if layer.called and len(layer.std)]
    spreads = [layer.std.first for layer in layers if math.isfinite(layer.std.first)]
    numbers = {"least": min(spreads, default=math.nan), "most": max(spreads, default=math.nan), "layers": len(layers)}
    found, expected = Fault("check.signal", numbers), Fault("check.signal-expected")
    inside = all(_LEAST_SIGNAL <= spread <= _MOST_SIGNAL for spread in spreads)
    return _line("signal", findings, found, expected, numbers, inside=inside)


def _wanted_share(setup: Setup) -> float:
    """Below what share of its first loss a batch learnt by heart must come: half, where there is room for it."""
    outputs = setup.data.outputs if setup.data.task == "regression" else 1
    samples = min(32, setup.recipe.train.batch_size or 32)
    roomy = setup.description.parameters > _ROOM * samples * outputs
    return _HALF if roomy and setup.data.task != "reconstruction" else _SOME


def _one_batch(by_heart: ByHeart, share: float, findings: list[Finding]) -> CheckLine:
    numbers = vars(by_heart)
    learnt = not by_heart.last >= share * by_heart.first
    found = Fault("check.one-batch", numbers)
    return _line("one-batch", findings, found, _expected(by_heart, share), dict(numbers), inside=learnt)


def _expected(by_heart: ByHeart, share: float) -> Fault:
    return Fault("check.one-batch-expected", {"wanted": share * by_heart.first})


def _not_by_heart(setup: Setup, by_heart: ByHeart, share: float) -> Finding | None:
    if by_heart.last < share * by_heart.first or not by_heart.in_time or by_heart.first <= 0:
        return None
    numbers = {"first": by_heart.first, "last": by_heart.last, "steps": by_heart.steps, "samples": by_heart.samples}
    none = not by_heart.last < _NOTHING * by_heart.first
    remedies = ("check.remedy-labels", "check.remedy-net")
    return _finding("one-batch", "error" if none else "warning", numbers, "none" if none else "little", remedies)


def _rate(setup: Setup, rehearsed: Rehearsed, rates: RateTest | None, findings: list[Finding]) -> CheckLine:
    loss = rehearsed.measured.loss
    numbers = {"rate": setup.recipe.optim.lr, "first": loss.first, "last": loss.end(0.2), "steps": rehearsed.steps}
    found = Fault("check.rate", dict(numbers))
    if rates is None or rates.suggestion is None:
        return _line("rate", findings, found, None, numbers)
    numbers |= {"best": rates.best, "edge": rates.edge, "suggestion": rates.suggestion}
    id = "check.rate-expected" if rates.edge is None else "check.rate-expected-edge"
    return _line("rate", findings, found, Fault(id, numbers), numbers)


def _finding(rule: str, severity: str, numbers: dict[str, Any], variant: str, remedies: tuple[str, ...]) -> Finding:
    advice = tuple({"advice": say(remedy)} for remedy in remedies)
    title = say(f"check.title-{rule}-{variant}", **numbers)
    return Finding(rule, severity, (), 1, numbers, title, say(f"check.why-{rule}-{variant}", **numbers), advice)
