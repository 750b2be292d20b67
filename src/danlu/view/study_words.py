"""A study in words and tables, once for the terminal, the page and the report: from the object `--json` prints."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.words import say
from danlu.view.figures.names import score_text
from danlu.view.info.combinations import Combination, combinations, factors_text
from danlu.view.info.effects import level_text, look_of
from danlu.view.info.study import REMEDY
from danlu.view.verdicts import effect_text, looks_text

_MOST_TABLES = 3  # of pairs of factors, and of changes told beneath each


@dataclass(frozen=True)
class TextTable:
    """A table as it is read. `lines` are sentences on it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class ToldEffect:
    """A comparison: what is changed, and the answer with its interval. `look` is "better", "worse", "same" or
    "undecided"; `more` about how many further seeds would decide it, 0 where that is not known or not needed."""

    change: str
    answer: str
    look: str
    more: int = 0


@dataclass(frozen=True)
class ToldStudy:
    """All that is said of a study: what each combination reached, the effects, whether factors depend on each other,
    what could not be trained, and the best."""

    combinations: TextTable
    effects: Sequence[ToldEffect]
    looks: str
    interactions: Sequence[TextTable]
    further: str
    failed: Sequence[str]
    best: str
    closing: str


def told_study(study: Mapping[str, Any]) -> ToldStudy:
    """What a study says, in the language in force; `study` is the object that `danlu compare --json` prints."""
    tables = study["interactions"]
    left = len(tables) - _MOST_TABLES
    return ToldStudy(
        combinations=combinations_table(
            combinations(study["members"], study["baselines"], study["metric"]), study["metric"]
        ),
        effects=[_effect(effect) for effect in study["effects"]],
        looks=looks_text(study.get("looks")),
        interactions=[_interaction(table) for table in tables[:_MOST_TABLES]],
        further=say("study.more-interactions", count=left) if left > 0 else "",
        failed=[_failed(one) for one in study["failed"]],
        best=best_text(study),
        closing=say("study.closing", members=len(study["members"]), folder=shown(study["study"]), **told_times(study)),
    )


def effect_lines(told: ToldStudy) -> list[str]:
    """A line for each comparison, and what looking again has cost."""
    return [*(f"{effect.change}   {effect.answer}" for effect in told.effects), *([told.looks] if told.looks else [])]


def effect_change(effect: Mapping[str, Any]) -> str:
    """What an effect is the effect of.

    >>> effect_change({"factor": "optim.lr", "from": 0.1, "to": 0.2})
    'optim.lr: 0.1 → 0.2'
    """
    return f"{effect['factor']}: {level_text(effect['from'])} → {level_text(effect['to'])}"


def best_text(study: Mapping[str, Any]) -> str:
    """The best combination with its scores, or that none is where all trainings of a study that has ended diverged; ""
    where none is chosen. `study` may be a search too.
    """
    best, metric, members = study["best"], study["metric"], study["members"]
    if study["finished"] and members and all(member["diverged"] for member in members):
        return say("study.no-best")
    if not best:
        return ""
    scores = {part: number_text(best["score"][part].get(metric)) for part in ("validation", "test")}
    phrase = "study.best" if best.get("refit", True) else "study.best-as-it-was"
    return say(phrase, factors=factors_text(best["factors"]), metric=metric_name(metric), **scores)


def members_table(members: Sequence[Mapping[str, Any]], factors: Sequence[str], most: int) -> TextTable:
    """One row a training: its levels, seed, fold and scores."""
    names = list(dict.fromkeys(name for member in members for name in member["score"]))
    rows = [
        [
            *(level_text(member["factors"].get(factor)) for factor in factors),
            str(member["seed"]),
            str(member["fold"]),
            *(say("page.diverged") if member["diverged"] else number_text(member["score"].get(name)) for name in names),
        ]
        for member in members[:most]
    ]
    left = len(members) - len(rows)
    lines = [say("page.shown", shown=f"{len(rows):,}", all=f"{len(members):,}")] if left else []
    heads = (say("page.remedy") if factor == REMEDY else factor for factor in factors)
    return TextTable([*heads, say("page.seed"), say("page.fold"), *map(metric_name, names)], rows, lines)


def told_times(study: Mapping[str, Any]) -> dict[str, str]:
    """How long a study or a search took, loading and training apart."""
    loading = study["loading_seconds"]
    times = {"seconds": study["seconds"], "loading": loading, "training": study["seconds"] - loading}
    return {name: f"{seconds:.1f}" for name, seconds in times.items()}


def number_text(value: float | None) -> str:
    """A score in a table; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else score_text(value)


def combinations_table(found: Sequence[Combination], metric: str) -> TextTable:
    """One row a combination: its name, mean and deviation, how many trainings, and how many of them diverged where any
    of the study did."""
    heads = [say("study.combination"), metric_name(metric), say("study.spread"), say("study.members")]
    rows = [[one.name, number_text(one.mean), number_text(one.deviation), str(one.count)] for one in found]
    if any(one.diverged for one in found):
        heads.append(say("study.diverged"))
        rows = [[*row, str(one.diverged or "")] for row, one in zip(rows, found, strict=True)]
    return TextTable(heads, rows)


def _effect(effect: Mapping[str, Any]) -> ToldEffect:
    return ToldEffect(effect_change(effect), effect_text(effect), look_of(effect["verdict"]), effect["more"] or 0)


def _interaction(table: Mapping[str, Any]) -> TextTable:
    """The means of two factors' levels, with what the second one changes in the effect of the first."""
    first, second = table["factors"]
    rows = [
        [level_text(level), *map(number_text, means)]
        for level, means in zip(table["rows"], table["means"], strict=True)
    ]
    lines: list[str] = []
    for change in sorted(table["changes"], key=lambda one: one["p"])[:_MOST_TABLES]:
        row, column = change["levels"]
        effect = f"{first}: {level_text(table['rows'][0])} → {level_text(row)}"
        at = f"{second}: {level_text(table['columns'][0])} → {level_text(column)}"
        verdict = say(f"study.interaction-{change['verdict'].replace(' ', '-')}", margin=f"{change['margin']:.3g}")
        facts = {"effect": effect, "at": at, "verdict": verdict}
        numbers = {name: f"{change[name]:+.4f}" for name in ("mean", "low", "high") if change[name] is not None}
        lines.append(say("study.interaction" if len(numbers) == 3 else "study.interaction-open", **facts, **numbers))
    return TextTable([f"{first} \\ {second}", *map(level_text, table["columns"])], rows, lines)


def _failed(one: Mapping[str, Any]) -> str:
    facts = {"factors": factors_text(one["factors"]), "reason": one["reason"]}
    if "seed" not in one:
        return say("study.cell-failed", **facts)
    return say("study.member-failed", seed=one["seed"], fold=one["fold"], **facts)
