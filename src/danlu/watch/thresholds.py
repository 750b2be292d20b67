"""What a user sets of the rules: which are silent, and the thresholds of the others, by name, old names included."""

import functools
import math
from collections.abc import Collection, Mapping, Sequence

from danlu.base.counts import as_found, is_number
from danlu.base.errors import Faults, nearest
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.watch.contract import Rule
from danlu.watch.rulebook import rulebook

Settings = Mapping[str, Mapping[str, float]]
"""Thresholds by rule and name."""


def check_rules(silence: Collection[str], thresholds: Settings, own: Sequence[Rule] = ()) -> None:
    """UserError, with the nearest spelling, for a rule or a threshold that does not exist, or a value that is none; and
    for what among a user's `own` rules is none, or has the id of another.
    """
    known, faults = {rule.id: rule for rule in rulebook()}, Faults()
    for rule in own:
        if not isinstance(rule, Rule):  # pyright: ignore[reportUnnecessaryIsInstance]
            faults.add("watch.not-a-rule", found=type(rule).__name__)
        elif rule.id in known:
            faults.add("watch.rule-twice", rule=rule.id)
        else:
            known[rule.id] = rule
    if isinstance(silence, str):
        silence = [silence]
    for id in (*silence, *thresholds):
        if id not in known:
            faults.add("watch.unknown-rule", rule=id, hint=nearest(id, known))
    for id, numbers in thresholds.items():
        if id in known:
            _check_numbers(known[id], numbers, faults)
    faults.raise_if_any()


def _check_numbers(rule: Rule, numbers: Mapping[str, float], faults: Faults) -> None:
    before = _before(rule)
    for name, value in numbers.items():
        if name not in rule.thresholds and name not in before:
            keys = ", ".join(rule.thresholds) or "–"
            hint = nearest(name, rule.thresholds)
            faults.add("watch.unknown-threshold", rule=rule.id, key=name, keys=keys, hint=hint)
        elif not is_number(value) or not math.isfinite(value):
            faults.add("watch.threshold-no-number", rule=rule.id, key=name, found=as_found(value))
        elif before.get(name, name) != name and before[name] in numbers:
            faults.add("watch.threshold-twice", rule=rule.id, key=name, name=before[name])


def current_thresholds(thresholds: Settings, own: Sequence[Rule] = ()) -> dict[str, dict[str, float]]:
    """The same under the names of today; each name of danlu 0.1 is told once, with the one that took its place.

    >>> current_thresholds({"dead-relu": {"min_dead_share": 0.6}})
    {'dead-relu': {'min_dead_share': 0.6}}
    """
    before = {rule.id: _before(rule) for rule in (*rulebook(), *own) if rule.id in thresholds}
    for id, numbers in thresholds.items():
        for name in numbers.keys() & before[id].keys():
            _tell_renamed(id, name, before[id][name])
    return {
        id: {before[id].get(name, name): value for name, value in given.items()} for id, given in thresholds.items()
    }


def _before(rule: Rule) -> dict[str, str]:
    """Today's names of a rule's thresholds by those of danlu 0.1; a name that means the same as before is none."""
    return {one.before: name for name, one in rule.thresholds.items() if one.before not in (name, "")}


@functools.cache
def _tell_renamed(rule: str, before: str, name: str) -> None:
    tell(say("watch.threshold-renamed", rule=rule, before=before, name=name))
