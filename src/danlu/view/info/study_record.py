"""A study or a search as one object of plain values: what `--json` prints, and terminal, page and report show."""

from collections.abc import Mapping
from typing import Any

from danlu.view.info.study import StudyInfo
from danlu.view.info.trials import ranked


def study_record(info: StudyInfo) -> dict[str, Any]:
    """What `danlu compare --json` prints of a study, but for the recipe of the best combination."""
    return {
        "study": info.where,
        "metric": info.metric,
        "members": [member.as_dict() for member in info.members],
        "baselines": [dict(vars(one)) for one in info.baselines],
        "failed": [dict(one) for one in info.failed],
        "effects": list(info.effects),
        "looks": None if info.looks is None else list(info.looks),
        "interactions": list(info.interactions),
        "best": _best(info),
        **_times(info),
    }


def search_record(info: StudyInfo) -> dict[str, Any]:
    """What `danlu compare --search … --json` prints of a search, but for the recipe of the best trial."""
    states = [trial.state for trial in info.trials]
    return {
        "study": info.where,
        "search": [dict(one) for one in info.ranges],
        "metric": info.metric,
        "rounds": info.rounds,
        "trials": [trial.as_dict() for trial in ranked(info.trials, info.metric)],
        "trainings": sum(len(trial.members) for trial in info.trials),
        "full_trainings": sum(len(trial.members) for trial in info.trials if trial.state == "finished"),
        "dropped": states.count("dropped"),
        "diverged": states.count("diverged"),
        "failed": states.count("failed"),
        "members": [member.as_dict() for trial in info.trials for member in trial.members],
        "best": _best(info),
        **_times(info),
    }


def _times(info: StudyInfo) -> dict[str, Any]:
    return {
        "finished": info.state == "finished",
        "seconds": round(info.seconds, 3),
        "loading_seconds": round(info.loading, 3),
    }


def _best(info: StudyInfo) -> dict[str, Any]:
    if info.best is None or not info.best.factors:
        return {}
    scores: Mapping[str, Any] = {"validation": info.best.validation, "test": info.test}
    return {"factors": dict(info.best.factors), "score": scores, "run": info.best.run, "refit": info.best.refit}
