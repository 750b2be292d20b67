"""Curves that need no picture: what stays at one value, and what is the same as another."""

from collections.abc import Sequence

from danlu.base.metric_names import metric_name
from danlu.base.words import say
from danlu.view.figures.names import short
from danlu.view.info.curves import Curves
from danlu.view.info.thin import ThinnedCurve

_SAME = 1e-9  # of their size, two numbers that were computed in two ways


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
    """The metrics whose curves differ from those of all metrics before them, and a sentence for each of the others."""
    kept: list[str] = []
    notes: list[str] = []
    for name in info.metrics:
        twin = next((other for other in kept if _are_same(info, name, other)), None)
        if twin is None:
            kept.append(name)
        else:
            notes.append(say("figure.same-score", metric=metric_name(name), other=metric_name(twin)))
    return kept, notes


def _are_same(info: Curves, name: str, other: str) -> bool:
    """Whether two metrics were the same at every epoch of every run, where both are known."""
    pairs = [(part.get(name), part.get(other)) for run in info.runs for part in (run.train, run.validation)]
    shared = [(one, two) for one, two in pairs if one is not None and two is not None]
    lone = any(one is not None and two is None for one, two in pairs)
    return bool(shared) and not lone and all(_alike(one, two) for one, two in shared)


def _alike(one: ThinnedCurve, two: ThinnedCurve) -> bool:
    return one.steps == two.steps and all(
        a == b or (a is not None and b is not None and abs(a - b) <= _SAME * max(abs(a), abs(b)))
        for a, b in zip(one.values, two.values, strict=True)
    )
