"""What a move of the playground shows, in words: whether it helps, and how sure that is."""

import functools
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.metric_names import metric_name
from danlu.base.words import say
from danlu.stats.members import Member
from danlu.stats.studies import usual_metric
from danlu.view.figures.names import score_text
from danlu.view.verdicts import effect_text


def scores_text(members: Sequence[Member]) -> str:
    """The validation scores of all seeds, in one sentence.

    >>> scores_text([Member({}, seed, 0, {"accuracy": 0.75 + seed / 4}, False, 40) for seed in range(2)])
    'Validation accuracy over 2 seeds: mean 0.8750, from 0.7500 to 1.0000, on 40 samples.'
    """
    metric = usual_metric(members)
    values = [one.score[metric] for one in members if math.isfinite(one.value(metric))]
    broken = len(members) - len(values)
    if not values:
        return say("play.all-diverged", seeds=len(members))
    numbers = {"mean": statistics.fmean(values), "low": min(values), "high": max(values)}
    facts = {name: score_text(value) for name, value in numbers.items()}
    told = say("play.score", metric=metric_name(metric), seeds=len(values), samples=members[0].samples, **facts)
    return f"{told} {say('play.diverged', count=broken)}" if broken else told


def change_told(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What a move changes, as people read it.

    >>> change_told({"depth": 0, "lr": 0.1}, {"depth": 2, "lr": 0.1})
    'hidden layers: 0 → 2'
    """
    changes = [
        say("play.change", name=say(f"page.play-{name}"), before=_shown(before[name]), after=_shown(value))
        for name, value in after.items()
        if before.get(name) != value
    ]
    return functools.reduce(lambda first, then: say("play.changes", first=first, then=then), changes)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def move_text(change: str, effect: Mapping[str, Any] | None, number: int, samples: int) -> dict[str, Any]:
    """Whether a move helps: its "verdict", the "answer" in a sentence, the "numbers" that it rests on, and what else
    there is to "note". `effect` is that of `FactorEffect.as_dict`, None where the data are others than before.
    """
    if effect is None:
        return {"verdict": "none", "change": change, "answer": say("play.other-data"), "numbers": "", "note": ""}
    verdict, margin = effect["verdict"], effect["margin"]
    by_metric = verdict in ("better", "worse") and effect["score_verdict"] == verdict
    little = "-little" if by_metric and abs(effect["mean"]) < margin else ""
    return {
        "verdict": verdict,
        "change": change,
        "answer": say(f"play.answer-{verdict.replace(' ', '-')}{little}", margin=f"{margin:.3g}"),
        "numbers": effect_text(effect),
        "note": say("play.note", number=number, samples=samples),
    }
