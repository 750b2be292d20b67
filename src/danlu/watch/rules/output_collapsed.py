"""output-collapsed: whatever goes into the net, the same comes out."""

import itertools
import re

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.reading import narrow_layer
from danlu.watch.series import Series


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    together = measured.together
    if (
        len(together) >= thresholds["min_measurements"]
        and together.median(2) <= together.first / thresholds["min_fall_together"]
    ):
        numbers = {"share": together.last, "first": together.first}
        since = together.since([one <= together.first / 2 for one in together.values])
        return Verdict("warning", since, numbers, variant="together", remedies=_REMEDIES["embedding"])
    shrunk = _shrunk(measured, thresholds)
    if shrunk is not None:
        return shrunk
    tried = [
        one for one in measured.interventions.values()
        if len(one.response) >= thresholds["min_trials"] and one.response.steps[-1] >= thresholds["min_steps"]
    ]  # fmt: skip
    for trial in tried:
        variant = _kind(measured, trial, thresholds)
        if variant in ("", "deaf") and narrow_layer(measured, thresholds["min_classes"]) is not None:
            continue  # one unit less than few leaves nothing over, and they are too few anyway
        if variant is not None:
            response = trial.turn if variant == "embedding" else trial.response
            numbers = {"share": response.last, "first": response.first}
            where = (trial.name,) if trial.name else ()
            since = trial.response.steps[-1]
            return Verdict("warning", since, numbers, where, variant=variant, remedies=_REMEDIES[variant])
    return next((_of_argument(trial) for trial in tried if trial.ignores), None)


def _shrunk(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """An embedding whose loss, made of distances, has drawn all of them to one point, and stays what it is there."""
    called = [one for one in measured.layers.values() if one.called]
    if not called or measured.heads or measured.labels.kind or measured.step < thresholds["min_steps"]:
        return None
    std, most = called[-1].std, called[-1].std.first / thresholds["min_fall"]
    if called[-1].outputs < thresholds["min_outputs"] or len(std) < thresholds["min_measurements"]:
        return None
    left = measured.loss.end(0.1) > thresholds["min_loss_left"] * measured.loss.begin(0.1)
    if not left or not max(std.values[-2:]) <= most:
        return None
    since = std.since([one <= most for one in std.values])
    numbers = {"share": std.last / std.first, "loss": measured.loss.end(0.1)}
    where = (called[-1].name,)
    return Verdict("warning", since, numbers, where, variant="shrunk", remedies=_REMEDIES["embedding"])


def _of_argument(trial: Intervention) -> Verdict:
    severity = "warning" if any(map(_STEERING.match, trial.ignores)) else "advice"
    where, numbers = (trial.name,) if trial.name else (), {"names": ", ".join(sorted(trial.ignores))}
    since = trial.response.steps[-1]
    return Verdict(severity, since, numbers, where, variant="argument", remedies=("use-the-argument",))


def _kind(measured: Measured, trial: Intervention, thresholds: Thresholds) -> str | None:
    """Of which kind the collapse is; None where there is none."""
    if trial.response.last <= thresholds["max_response_deaf"]:
        return "deaf" if trial.response.first <= thresholds["max_response_deaf"] else ""
    if trial.reconstructs:  # a mean picture comes first, and stays only where the code is not used
        late = trial.response.steps[-2] >= 4 * thresholds["min_steps"]
        return "code" if late and _has_fallen(trial.response, 2, thresholds) else None
    embeds = trial.outputs >= thresholds["min_outputs"] and measured.labels.kind != "numbers"
    collapses = _has_fallen(trial.turn, 1, thresholds) or _is_falling(trial.turn, thresholds)
    return "embedding" if embeds and not measured.labels.counts and collapses else None


def _has_fallen(response: Series, newest: int, thresholds: Thresholds) -> bool:
    """Whether it is small in so many of the newest trials, and no more than a fraction of what it was."""
    small = max(response.values[-newest:], default=1.0) <= thresholds["max_response"]
    return small and response.last <= response.first / thresholds["min_fall"]


def _is_falling(response: Series, thresholds: Thresholds) -> bool:
    """Whether it has become smaller from trial to trial, and is a fraction already of what it was."""
    values = response.values
    down = len(values) > 3 and all(later < 0.8 * before for before, later in itertools.pairwise(values))
    limit = thresholds["max_response_falling"]
    return down and values[-1] <= limit and values[-1] <= values[0] / thresholds["min_fall"]


# What is asked of a net beside its inputs; other arguments may be there for the sake of nets that take them.
_STEERING = re.compile(
    r"^(ts?|time|time_?steps?|sigmas?|noise_levels?|cond.*|class_?(id|label)s?|context|style)$", re.I
)

_REMEDIES = {
    "": ("look-upstream",),
    "deaf": ("use-the-input",),
    "code": ("less-kl",),
    "embedding": ("negatives-or-stop-gradient",),
}

RULE = Rule(
    "output-collapsed",
    _judge,
    "Bowman et al. 2016, arXiv:1511.06349, section 3; Jing et al. 2022, arXiv:2110.09348",
    severities=("warning", "advice"),
    needs=("tried", "tried-again"),
    fault_in="module",
    variants_in={"shrunk": "whole loss"},
    remedies=("look-upstream", "use-the-input", "less-kl", "negatives-or-stop-gradient", "use-the-argument"),
    # Rounding moves an answer by a ten-millionth of itself. Features of a healthy net lie apart by a tenth of their
    # size and more, at every time.
    thresholds={
        "min_trials": Threshold(2, "measurements"),
        "min_steps": Threshold(50, "steps"),
        "max_response_deaf": Threshold(1e-6, "share"),
        "max_response": Threshold(0.05, "share"),
        "max_response_falling": Threshold(0.2, "share"),
        "min_fall": Threshold(5.0, "times"),
        "min_outputs": Threshold(8, "outputs"),
        "min_measurements": Threshold(6, "measurements"),
        "min_fall_together": Threshold(3.0, "times"),
        "min_loss_left": Threshold(0.1, "share"),
        "min_classes": Threshold(4, "classes"),
    },
    symptoms=("plateau", "underfitting", "lr-too-low", "vanishing-gradient", "too-few-epochs"),
)
