"""Curves that need no picture: what stays at one value, and what is the same as another."""

import math
import re
from collections.abc import Sequence

from danlu.base.metric_names import metric_bounds, metric_name
from danlu.base.words import say
from danlu.view.figures.names import short
from danlu.view.info.curves import Curves

_BETWEEN_CHINESE = re.compile("(?<=[\u2e80-\uffef]) (?=[\u2e80-\uffef])")  # a name may be Latin there, or not
_SAME = 1e-9  # of their size, two numbers that were computed in two ways
_NEAR = 0.01  # shares that are never further apart: one curve over the other


def constants(info: Curves) -> tuple[bool, list[str]]:
    """Whether the learning rates need a panel, and if not the sentence that says what they are."""
    values = [{value for value in run.lr.values if value is not None} for run in info.runs]
    if any(len(own) > 1 for own in values):
        return True, []
    told = sorted({value for own in values for value in own})
    if not told:
        return False, []
    if len(told) == 1:
        return False, [say("figure.constant-rate", rate=short(told[0]))]
    own = [f"{run.label} {short(next(iter(rates)))}" for run, rates in zip(info.runs, values, strict=True) if rates]
    return False, [say("figure.constant-rates", rates=say("base.finding-comma").join(own))]


def same_scores(info: Curves) -> tuple[Sequence[str], list[str]]:
    """The metrics whose curves differ from those of all metrics before them, and a sentence for each of the others: how
    closely it follows one, if it is not the same."""
    kept: list[str] = []
    notes: list[str] = []
    for name in info.metrics:
        found = ((other, _apart(info, name, other)) for other in kept)
        twin = next(((other, far) for other, far in found if far is not None), None)
        if twin is None:
            kept.append(name)
            continue
        facts = {"metric": metric_name(name), "other": metric_name(twin[0])}
        far = math.ceil(round(1e4 * twin[1], 6)) / 1e4
        told = say("figure.near-score", far=f"{far:g}", **facts) if far else say("figure.same-score", **facts)
        notes.append(_BETWEEN_CHINESE.sub("", told))
    return kept, notes


def _apart(info: Curves, name: str, other: str) -> float | None:
    """How far two metrics are apart at most, over every epoch of every run; 0 where they are the same, None where that
    is so far that both are to be seen, or where they are not known at the same epochs."""
    pairs = [(part.get(name), part.get(other)) for run in info.runs for part in (run.train, run.validation)]
    shared = [(one, two) for one, two in pairs if one is not None and two is not None]
    lone = any(one is not None and two is None for one, two in pairs)
    if not shared or lone or any(one.steps != two.steps for one, two in shared):
        return None
    values = [both for one, two in shared for both in zip(one.values, two.values, strict=True)]
    if any((a is None) != (b is None) for a, b in values):
        return None
    known = [(a, b) for a, b in values if a is not None and b is not None]
    if all(abs(a - b) <= _SAME * max(abs(a), abs(b)) for a, b in known):
        return 0.0
    far = max(abs(a - b) for a, b in known)
    return far if far <= _NEAR and metric_bounds(name) == metric_bounds(other) == (0.0, 1.0) else None
