"""All that is shown of one study, as plain data: its design, the members that are done, what they show so far."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.strict_json import number
from danlu.stats.looks import looks_in
from danlu.stats.members import Member
from danlu.stats.studies import factor_effects, margin_of, usual_metric


@dataclass(frozen=True)
class StudyInfo:
    """One study. `effects` are as `danlu compare --json` gives them; `planned` counts the members there will be."""

    name: str
    factors: Mapping[str, Sequence[Any]]
    members: Sequence[Mapping[str, Any]]
    effects: Sequence[Mapping[str, Any]]
    metric: str
    planned: int
    state: str = "stopped"  # finished, running, stopped
    seconds: float = 0.0
    baselines: Sequence[Mapping[str, Any]] = ()
    failed: Sequence[Mapping[str, Any]] = ()
    best: Mapping[str, Any] = field(default_factory=dict[str, Any])  # factors and scores, once it is chosen
    recipe: str = ""  # the best one, as TOML
    where: str = ""
    looks: Sequence[int] | None = ()  # the numbers of seeds at which it was looked at; None while it is under way


KINDS = ("begin", "member", "look", "best", "baseline", "done")
"""The kinds of records that a study is read from."""

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


def read_study(name: str, design: Mapping[str, Any], records: Iterable[Mapping[str, Any]], **more: Any) -> StudyInfo:
    """The study that its design and the records of its journal tell; records that make no sense are passed over.

    >>> read_study("s", {"factors": {"optim.lr": [0.1, 0.2]}, "seeds": [0, 1], "folds": 3}, []).planned
    12
    """
    factors = {str(key): list(levels) for key, levels in dict(design.get("factors") or {}).items()}
    members: list[Mapping[str, Any]] = []
    baselines: list[Mapping[str, Any]] = []
    last: dict[str, Mapping[str, Any]] = {}
    order: list[str] = []
    seconds = 0.0
    steps: list[Mapping[str, Any]] = []
    for record in records:
        kind = str(record.get("kind"))
        last[kind] = record
        order.append(kind)
        if kind in ("begin", "member", "look", "best"):
            steps.append(record)
        try:
            if kind == "member":
                members.append(_member(record, factors))
            elif kind == "baseline":
                baselines.append({**record, "score": _score(record["score"])})
            elif kind == "done":
                seconds += number(record["seconds"])
            elif kind == "begin":
                seconds += number(record.get("loading", 0.0))
        except _MALFORMED:
            continue
    best = last.get("best", {})
    newest = next((kind for kind in reversed(order) if kind in ("begin", "best")), "")
    cells = math.prod(len(levels) for levels in factors.values())
    told = [
        Member(one["factors"], one["seed"], one["fold"], one["score"], one["diverged"], one["samples"])
        for one in members
    ]
    looks = looks_in(steps)
    metric = str(design.get("metric") or usual_metric(told))
    planned = last.get("begin", {}).get("members")
    return StudyInfo(
        name=name,
        factors=factors,
        members=members,
        effects=_effects(told, factors, metric, design.get("margin"), looks),
        looks=looks,
        metric=metric,
        planned=planned
        if isinstance(planned, int)
        else cells * len(design.get("seeds") or ()) * int(design.get("folds") or 1),
        seconds=seconds,
        baselines=baselines,
        failed=[one for one in last.get("begin", {}).get("failed") or () if isinstance(one, Mapping)],
        best=best if newest == "best" else {},
        **more,
    )


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


def _member(record: Mapping[str, Any], factors: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "factors": {key: record["factors"][key] for key in factors},
        "seed": int(record["seed"]),
        "fold": int(record["fold"]),
        "score": _score(record["score"]),
        "diverged": bool(record["diverged"]),
        "samples": record["samples"] if isinstance(record.get("samples"), int) else None,
    }


def _score(score: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): number(value) for name, value in score.items()}
