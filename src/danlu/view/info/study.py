"""All that is shown of one study, as plain data: its design, the members that are done, what they show so far."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.places import shown
from danlu.base.strict_json import number
from danlu.stats.members import Member
from danlu.stats.studies import factor_effects, margin_of, usual_metric
from danlu.store.records import BaselineDone, BestChosen, MemberDone
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StackCurves, StudyHistory


@dataclass(frozen=True)
class StudyInfo:
    """One study. `effects` are as `danlu compare --json` gives them; `planned` counts the members there will be."""

    name: str
    factors: Mapping[str, Sequence[Any]]
    members: Sequence[Member]
    effects: Sequence[Mapping[str, Any]]
    metric: str
    planned: int
    state: str = "stopped"  # finished, running, stopped
    seconds: float = 0.0
    baselines: Sequence[BaselineDone] = ()
    failed: Sequence[Mapping[str, Any]] = ()  # factors and reason; of single members seed and fold too
    best: BestChosen | None = None  # once it is chosen
    recipe: str = ""  # the best one, as TOML
    where: str = ""
    curves: Sequence[StackCurves] = ()  # of trainings that are carried out together, those under way included
    looks: Sequence[int] | None = ()  # the numbers of seeds at which it was looked at; None while it is under way


def study_info(
    name: str,
    design: Mapping[str, Any],
    history: StudyHistory,
    *,
    recipe: str = "",
    where: str = "",
    state: str = "stopped",
) -> StudyInfo:
    """The study that its design and its journal tell; `state` is said of one that has not chosen its best.

    >>> study_info("s", {"factors": {"optim.lr": [0.1, 0.2]}, "seeds": [0, 1], "folds": 3}, StudyHistory()).planned
    12
    """
    factors = {str(key): list(levels) for key, levels in dict(design.get("factors") or {}).items()}
    # Members of other factors are none of this design's: somebody wrote in its folder.
    members = [member_of(one) for one in history.members if factors.keys() <= one.factors.keys()]
    metric = str(design.get("metric") or usual_metric(members))
    cells = math.prod(len(levels) for levels in factors.values())
    planned = history.planned
    return StudyInfo(
        name=name,
        factors=factors,
        members=members,
        effects=_effects(members, factors, metric, design.get("margin"), history.looks),
        looks=history.looks,
        metric=metric,
        planned=cells * len(design.get("seeds") or ()) * int(design.get("folds") or 1) if planned is None else planned,
        seconds=history.seconds + history.loading,
        baselines=history.baselines,
        failed=failures_of(history),
        best=history.best if history.finished else None,
        recipe=recipe,
        where=where,
        curves=[one for one in history.curves if all(factors.keys() <= own.keys() for own in one.combinations)],
        state="finished" if history.finished else state,
    )


def study_info_of(place: StudyFolder) -> StudyInfo:
    """The study in a folder; UserError where its design or its journal cannot be read."""
    recipe = place.best.read_text(encoding="utf-8") if place.best.is_file() else ""
    history = StudyHistory.read(place.journal)
    return study_info(place.path.name, place.read_design(), history, recipe=recipe, where=str(shown(place.path)))


def member_of(record: MemberDone) -> Member:
    """A member as the statistics see it."""
    return Member(record.factors, record.seed, record.fold, record.score, record.diverged, record.samples)


def failures_of(history: StudyHistory) -> list[dict[str, Any]]:
    """Combinations that could not be trained, with the reason; single members of one with their seed and fold."""
    single = [one for one in history.failed if one.seed is not None and one.fold is not None]
    return [{"factors": one.factors, "reason": one.reason} for one in history.impossible] + [
        {"factors": one.factors, "seed": one.seed, "fold": one.fold, "reason": one.reason} for one in single
    ]


def _effects(
    members: Sequence[Member],
    factors: Mapping[str, Sequence[Any]],
    metric: str,
    margin: Any,
    looks: Sequence[int] | None,
) -> list[Mapping[str, Any]]:
    if not members:
        return []
    width = margin_of(None if margin is None else number(margin), members, metric)
    return [effect.as_dict() for effect in factor_effects(members, factors, metric, width, looks)]
