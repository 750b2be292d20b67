"""All that is shown of one study, as plain data: its design, the members that are done, what they show so far."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.places import shown
from danlu.base.records import Score
from danlu.base.strict_json import number
from danlu.stats.interactions import interactions
from danlu.stats.members import Member
from danlu.stats.studies import factor_effects, margin_of, proved_factors, usual_metric
from danlu.store.records import BaselineDone, BestChosen
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StackCurves, StudyHistory
from danlu.view.info.trials import Trial, member_of, trials_of

REMEDY = "remedy"
"""Name of the one factor of a study that `cure` made, whose levels are changes of the recipe."""


@dataclass(frozen=True)
class StudyInfo:
    """One study. `effects` are as `danlu compare --json` gives them; `planned` counts the members there will be.

    A search has `ranges` (each with key, low, high, log and whole) and `trials` in place of effects; a study that
    `cure` made has the run, its findings and the remedies in `cure`, and what is proved better in `recommended`.
    """

    name: str
    factors: Mapping[str, Sequence[Any]]
    members: Sequence[Member]
    effects: Sequence[Mapping[str, Any]]
    metric: str
    planned: int
    state: str = "stopped"  # finished, running, stopped
    seconds: float = 0.0
    loading: float = 0.0  # of these, before the first training
    baselines: Sequence[BaselineDone] = ()
    failed: Sequence[Mapping[str, Any]] = ()  # factors and reason; of single members seed and fold too
    best: BestChosen | None = None  # once it is chosen
    test: Score = field(default_factory=dict[str, float])  # of the best one, where its run is at hand
    recipe: str = ""  # the best one, as TOML
    where: str = ""
    curves: Sequence[StackCurves] = ()  # of trainings that are carried out together, those under way included
    looks: Sequence[int] | None = ()  # the numbers of seeds at which it was looked at; None while it is under way
    interactions: Sequence[Mapping[str, Any]] = ()  # as `danlu compare --json` gives them
    ranges: Sequence[Mapping[str, Any]] = ()
    trials: Sequence[Trial] = ()
    rounds: int = 0
    cure: Mapping[str, Any] | None = None
    recommended: Mapping[str, Any] | None = None

    @property
    def kind(self) -> str:
        """What it is: "search", "cure" or "study"."""
        return "search" if self.ranges else "study" if self.cure is None else "cure"

    @property
    def seeds(self) -> int:
        """How many seeds its members have."""
        return len({member.seed for member in self.members})


def study_info(
    name: str,
    design: Mapping[str, Any],
    history: StudyHistory,
    *,
    recipe: str = "",
    where: str = "",
    state: str = "stopped",
    test: Score | None = None,
) -> StudyInfo:
    """The study that its design and its journal tell; `state` is said of one that has not chosen its best, `test` are
    the scores of the best one on the test part.

    >>> study_info("s", {"factors": {"optim.lr": [0.1, 0.2]}, "seeds": [0, 1], "folds": 3}, StudyHistory()).planned
    12
    """
    factors = {str(key): list(levels) for key, levels in dict(design.get("factors") or {}).items()}
    # Members of other factors are none of this design's: somebody wrote in its folder.
    members = [member_of(one) for one in history.members if factors.keys() <= one.factors.keys()]
    searched = design.get("search")
    ranges = [dict(one) for one in searched["ranges"]] if searched else []
    trials = [one for one in trials_of(history) if _is_within(one, ranges)] if searched else []
    if trials:
        members = [member for trial in trials for member in trial.members]
    metric = str(design.get("metric") or usual_metric(members))
    given = design.get("margin")
    margin = margin_of(None if given is None else number(given), members, metric) if members else 0.0
    compared = [] if searched or not members else factor_effects(members, factors, metric, margin, history.looks)
    crossed = [] if searched or not members else interactions(members, factors, metric, margin, history.looks)
    cure = design.get("cure") if [*factors] == [REMEDY] else None
    return StudyInfo(
        name=name,
        factors=factors,
        members=members,
        effects=[effect.as_dict() for effect in compared],
        interactions=[one.as_dict() for one in crossed],
        looks=history.looks,
        metric=metric,
        planned=_planned(design, factors, history),
        seconds=history.seconds + history.loading,
        loading=history.loading,
        baselines=history.baselines,
        failed=failures_of(history),
        best=history.best if history.finished else None,
        test=test or {},
        recipe=recipe,
        where=where,
        curves=[one for one in history.curves if all(factors.keys() <= own.keys() for own in one.combinations)],
        state="finished" if history.finished else state,
        ranges=ranges,
        trials=trials,
        rounds=sum(one.seconds is not None for one in history.rounds),
        cure=cure,
        recommended=_recommended(proved_factors(members, compared, metric, margin)) if cure and compared else None,
    )


def study_info_of(place: StudyFolder) -> StudyInfo:
    """The study in a folder; UserError where its design or its journal cannot be read."""
    recipe = place.best.read_text(encoding="utf-8") if place.best.is_file() else ""
    history, design = StudyHistory.read(place.journal), place.read_design()
    told: dict[str, Any] = {"recipe": recipe, "where": str(shown(place.path)), "test": _test_of(place, history)}
    return study_info(place.path.name, design, history, **told)


def failures_of(history: StudyHistory) -> list[dict[str, Any]]:
    """Combinations that could not be trained, with the reason; single members of one with their seed and fold."""
    single = [one for one in history.failed if one.seed is not None and one.fold is not None]
    return [{"factors": one.factors, "reason": one.reason} for one in history.impossible] + [
        {"factors": one.factors, "seed": one.seed, "fold": one.fold, "reason": one.reason} for one in single
    ]


def _planned(design: Mapping[str, Any], factors: Mapping[str, Sequence[Any]], history: StudyHistory) -> int:
    """The trainings there will be; of a search as many as it may begin."""
    if search := design.get("search"):
        return int(search.get("trainings") or 0)
    if history.planned is not None:
        return history.planned
    cells = math.prod(len(levels) for levels in factors.values())
    return cells * len(design.get("seeds") or ()) * int(design.get("folds") or 1)


def _is_within(trial: Trial, ranges: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a trial has a number for each range: others are none of this search's."""
    return all(type(trial.factors.get(one["key"])) in (int, float) for one in ranges)


def _recommended(levels: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The change that is proved better; None where none is: the level that changes nothing."""
    (change,) = levels.values()
    return change or None


def _test_of(place: StudyFolder, history: StudyHistory) -> Score:
    """The scores of the best one on the test part; none where its run cannot be read."""
    if history.best is None or not history.best.run:
        return {}
    journal = RunFolder(place.path / history.best.run).journal
    return RunHistory.read(journal).score.get("test", {}) if journal.is_file() else {}
