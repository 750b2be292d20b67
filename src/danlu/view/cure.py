"""A cure in words: what was found, what was tried against it, and what is proved. From the object `--json` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.finding_text import SIGNS, remedy_text
from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.rule_names import rule_label
from danlu.base.words import say
from danlu.view.figures.names import score_text
from danlu.view.verdicts import effect_text, looks_text

_MOST_CHANGE = 60


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
    lines += _by_hand(cure["by_hand"])
    if cure["study"] is not None:
        lines.append(say("cure.closing", folder=shown(cure["study"]), seconds=f"{cure['seconds']:.1f}"))
    return lines


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


def _tried(cure: Mapping[str, Any]) -> list[str]:
    metric = metric_name(cure["metric"])
    before = say("cure.all-diverged") if cure["before"] is None else score_text(cure["before"])
    lines = [say("cure.tried", seeds=cure["seeds"], metric=metric, before=before)]
    effects: Sequence[Mapping[str, Any]] = cure["effects"]
    width = min(_MOST_CHANGE, max((len(change_text(effect["to"])) for effect in effects), default=0))
    for effect in effects:
        after = say("cure.all-diverged") if effect["after"] is None else score_text(effect["after"])
        lines.append(f"  {change_text(effect['to']):{width}}   {after}   {effect_text(effect)}")
    if looks := looks_text(cure.get("looks")):
        lines.append(looks)
    for one in cure["failed"]:
        change = change_text(one["factors"]["remedy"])
        lines.append(f"  {change:{width}}   {say('cure.impossible', reason=one['reason'])}")
    if not cure["finished"]:
        lines.append(say("cure.unfinished", study=shown(cure["study"])))
    return lines


def _answer(cure: Mapping[str, Any]) -> list[str]:
    if cure["recommended"] is None:
        undecided = [effect["more"] for effect in cure["effects"] if effect["verdict"] == "undecided"]
        least = min((more for more in undecided if more), default=None)
        if least is None:
            return [say("cure.nothing-helps")]
        return [say("cure.nothing-proved", run=shown(cure["run"]), seeds=cure["seeds"] + least)]
    effect = next(one for one in cure["effects"] if one["to"] == cure["recommended"])
    lines = [say("cure.recommended", change=change_text(cure["recommended"]), effect=effect_text(effect))]
    if cure.get("applied"):
        return [*lines, say("cure.applied", recipe=shown(cure["applied"]))]
    return [*lines, say("cure.how-to-apply", run=shown(cure["run"]))]


def _by_hand(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = ["", say("cure.by-hand")]
    for row in rows:
        advice = "   ".join(f"{number} {text}" for number, text in enumerate(row["advice"], 1))
        lines.append(f"  {rule_label(row['rule'])}   {advice or say('cure.no-advice')}")
    return lines
