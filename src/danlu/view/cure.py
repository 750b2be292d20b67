"""A cure in words: what was found, what was tried against it, and what is proved. From the object `--json` prints."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.finding_text import SIGNS, remedy_text
from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.rule_names import rule_label
from danlu.base.words import say
from danlu.view.figures.names import score_text
from danlu.view.info.effects import look_of, worth
from danlu.view.study_words import ToldEffect
from danlu.view.verdicts import effect_text, looks_text

_MOST_CHANGE = 60


@dataclass(frozen=True)
class ToldCure:
    """All that is said of the study that tried remedies: the changes with their effects, the best of them first, what
    could not be tried, and what follows. `command` writes the cured recipe, or trains the seeds that are missing; ""
    where neither helps."""

    heading: str
    effects: Sequence[ToldEffect]
    looks: str
    failed: Sequence[str]
    answer: str
    command: str
    by_hand: Sequence[str]


def cure_lines(cure: Mapping[str, Any]) -> list[str]:
    """The lines of one cure."""
    run = shown(cure["run"])
    if not cure["findings"]:
        return [say("cure.no-findings" if cure["watched"] else "cure.not-watched", run=run)]
    lines = [say("cure.opening", run=run, count=len(cure["findings"]))]
    lines += [
        f"{SIGNS.get(one['severity'], '·')} {rule_label(one['rule'])}   {one['title']}" for one in cure["findings"]
    ]
    if cure["study"] is None:
        lines += ["", say("cure.no-remedy")]
    else:
        lines += ["", *_tried(cure), "", *_answer(cure)]
    if by_hand := _by_hand(cure["by_hand"]):
        lines += ["", say("cure.by-hand"), *(f"  {line}" for line in by_hand)]
    if cure["study"] is not None:
        lines.append(say("cure.closing", folder=shown(cure["study"]), seconds=f"{cure['seconds']:.1f}"))
    return lines


def told_cure(cure: Mapping[str, Any]) -> ToldCure:
    """What a cure says, in the language in force; `cure` is the object that `danlu cure --json` prints."""
    run = shlex.quote(str(shown(cure["run"])))
    ordered = sorted(cure["effects"], key=lambda one: worth(one["mean"], one["metric"]), reverse=True)
    least = _least_more(cure)
    command = f"danlu cure {run} --apply" if cure["recommended"] else ""
    answer = _recommendation(cure) if cure["recommended"] else say("cure.nothing-helps")
    unfinished = say("cure.unfinished", study=shown(cure["study"]))
    return ToldCure(
        heading=_heading(cure),
        effects=[_told_effect(one) for one in ordered],
        looks=looks_text(cure.get("looks")),
        failed=[line.strip() for line in _failed(cure)],
        answer=answer if cure["finished"] else unfinished,
        command=command or (f"danlu cure {run} --seeds {cure['seeds'] + least}" if least else ""),
        by_hand=_by_hand(cure["by_hand"]),
    )


def _told_effect(effect: Mapping[str, Any]) -> ToldEffect:
    answer = f"{_after(effect)}   {effect_text(effect)}"
    return ToldEffect(change_text(effect["to"]), answer, look_of(effect["verdict"]), effect["more"] or 0)


def change_text(change: Mapping[str, Any]) -> str:
    """A change as it stands in a recipe.

    >>> change_text({"optim.lr": 0.1, "train.clip_value": None})
    'optim.lr = 0.1, train.clip_value: none'
    """
    parts = [
        say("cure.left-out", key=key) if value is None else remedy_text({"change": {key: value}})
        for key, value in change.items()
    ]
    return ", ".join(parts)


def _heading(cure: Mapping[str, Any]) -> str:
    before = say("cure.all-diverged") if cure["before"] is None else score_text(cure["before"])
    return say("cure.tried", seeds=cure["seeds"], metric=metric_name(cure["metric"]), before=before)


def _after(effect: Mapping[str, Any]) -> str:
    return say("cure.all-diverged") if effect["after"] is None else score_text(effect["after"])


def _tried(cure: Mapping[str, Any]) -> list[str]:
    effects: Sequence[Mapping[str, Any]] = cure["effects"]
    width = min(_MOST_CHANGE, max((len(change_text(effect["to"])) for effect in effects), default=0))
    lines = [_heading(cure)]
    lines += [f"  {change_text(one['to']):{width}}   {_after(one)}   {effect_text(one)}" for one in effects]
    if looks := looks_text(cure.get("looks")):
        lines.append(looks)
    lines += _failed(cure, width)
    if not cure["finished"]:
        lines.append(say("cure.unfinished", study=shown(cure["study"])))
    return lines


def _failed(cure: Mapping[str, Any], width: int = 0) -> list[str]:
    return [
        f"  {change_text(one['factors']['remedy']):{width}}   {say('cure.impossible', reason=one['reason'])}"
        for one in cure["failed"]
    ]


def _answer(cure: Mapping[str, Any]) -> list[str]:
    if cure["recommended"] is None:
        least = _least_more(cure)
        if least is None:
            return [say("cure.nothing-helps")]
        return [say("cure.nothing-proved", run=shown(cure["run"]), seeds=cure["seeds"] + least)]
    lines = [_recommendation(cure)]
    if cure.get("applied"):
        return [*lines, say("cure.applied", recipe=shown(cure["applied"]))]
    return [*lines, say("cure.how-to-apply", run=shown(cure["run"]))]


def _least_more(cure: Mapping[str, Any]) -> int | None:
    """About how many more seeds the first answer takes; None where seeds alone bring none."""
    undecided = [effect["more"] for effect in cure["effects"] if effect["verdict"] == "undecided"]
    return min((more for more in undecided if more), default=None)


def _recommendation(cure: Mapping[str, Any]) -> str:
    effect = next(one for one in cure["effects"] if one["to"] == cure["recommended"])
    return say("cure.recommended", change=change_text(cure["recommended"]), effect=effect_text(effect))


def _by_hand(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = []
    for row in rows:
        advice = "   ".join(f"{number} {text}" for number, text in enumerate(row["advice"], 1))
        lines.append(f"{rule_label(row['rule'])}   {advice or say('cure.no-advice')}")
    return lines
