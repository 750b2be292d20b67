"""From findings to what is tried: remedies that the recipe can take, and the combinations of them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.errors import UserError
from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.nets import option_names, usual_options
from danlu.run.settings.draft import draft_recipe
from danlu.study.factors import flat
from danlu.watch import remedies_of

# More than these say less of each: every further comparison asks more of all others.
_MOST_REMEDIES = 6
_MOST_LEVELS = 12

Change = dict[str, Any]


@dataclass(frozen=True)
class Remedy:
    """Changes of which one is to be taken, the likeliest first, and the rules whose findings ask for it."""

    rules: tuple[str, ...]
    changes: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"rules": list(self.rules), "changes": [dict(change) for change in self.changes]}


def remedies_for(recipe: Recipe, findings: Sequence[Finding], steps_per_epoch: int) -> list[Remedy]:
    """The remedies that this recipe can take, in the order of the findings; those of a symptom only where its cause
    has none.
    """
    values = {**flat(recipe), "steps_per_epoch": steps_per_epoch}
    found: dict[str, list[list[Change]]] = {}
    for finding in findings:
        if finding.evidence.get("cause") not in found:
            ready = [_applicable(recipe, values, changes) for changes in remedies_of(finding, values)]
            if any(ready):
                found[finding.rule] = [changes for changes in ready if changes]
    return _together(found)[:_MOST_REMEDIES]


def levels_of(remedies: Sequence[Remedy]) -> list[Change]:
    """The levels of the study: nothing, each change by itself, and the likeliest ones by two and all together.

    >>> rate, norm = Remedy(("lr-too-high",), ({"optim.lr": 0.1},)), Remedy(("saturated",), ({"net.norm": "batch"},))
    >>> levels_of([rate, norm])
    [{}, {'optim.lr': 0.1}, {'net.norm': 'batch'}, {'optim.lr': 0.1, 'net.norm': 'batch'}]
    """
    levels = [Change(), *(change for remedy in remedies for change in remedy.changes)]
    likeliest = [remedy.changes[0] for remedy in remedies]
    every: Change = {}
    for change in likeliest:
        every |= {} if change.keys() & every.keys() else change
    pairs = [one | other for one, other in itertools.combinations(likeliest, 2) if not one.keys() & other.keys()]
    for together in (every, *pairs):
        if together not in levels and len(levels) < _MOST_LEVELS:
            levels.append(together)
    return sorted(levels, key=len)


def _together(found: Mapping[str, Sequence[Sequence[Change]]]) -> list[Remedy]:
    """Remedies of the same settings are one, with the changes of both."""
    remedies: dict[tuple[str, ...], Remedy] = {}
    for rule, several in found.items():
        for changes in several:
            keys = tuple(sorted(changes[0]))
            before = remedies.get(keys, Remedy((), ()))
            new = tuple(change for change in changes if change not in before.changes)
            rules = before.rules if rule in before.rules else (*before.rules, rule)
            remedies[keys] = Remedy(rules, before.changes + new[: max(0, 3 - len(before.changes))])
    return list(remedies.values())


def _applicable(recipe: Recipe, values: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The changes that change anything in this recipe, and that its net has options for."""
    return [dict(change) for change in changes if _changes(recipe, values, change) and _fits(recipe, change)]


def _changes(recipe: Recipe, values: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    for key, value in change.items():
        usual = key.startswith("net.") and not recipe.net.is_own and _is_usual(recipe, key, value)
        if values.get(key) != value and not (key not in values and usual):
            return True
    return False


def _is_usual(recipe: Recipe, key: str, value: Any) -> bool:
    option = key.removeprefix("net.")
    if option not in option_names(recipe.net.name):
        return False
    return option in usual_options(recipe.net.name, {option: value})


def _fits(recipe: Recipe, change: Mapping[str, Any]) -> bool:
    options = {key.removeprefix("net.") for key in change if key.startswith("net.")} - {"name"}
    if recipe.net.is_own and (options or "net.name" in change):
        return False  # only its code can change a net of the user's own
    if options and not options <= set(option_names(str(change.get("net.name", recipe.net.name)))):
        return False
    try:
        draft_recipe(recipe=recipe, settings=change)
    except UserError:
        return False
    return True
