"""The factors of a study and their combinations, each with its recipe."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.keywords import home_of
from danlu.base.own_code import file_and_maker
from danlu.base.recipe import Recipe
from danlu.nets import option_names, registered
from danlu.run.settings.draft import CUSTOM, draft_recipe
from danlu.study.builders import Builder, net_levels
from danlu.study.levels import Level, shown

_NETS = ("net", "net.name")

RECIPE = "recipe"
"""The factor whose levels are whole recipes, by their files."""

# What a study itself decides, and what is no matter of the result.
_NOT_VARIED = {
    "train.seed": "seeds",
    "data.fold": "folds",
    "data.fold_seed": "folds",
    "train.device": "",
    "train.keep": "",
    "train.checkpoint_steps": "",
    "train.checkpoint_seconds": "",
}


@dataclass(frozen=True)
class Cell:
    """One combination of levels: what is set, and the recipe that comes of it; `maker` builds a net of the user's."""

    factors: dict[str, Level]
    recipe: Recipe
    maker: Builder | None = None


def keys_of(recipe: Recipe, vary: Mapping[str, Sequence[Level] | Mapping[str, Level]]) -> dict[str, list[Level]]:
    """The factors with their full names and levels. UserError with all that is wrong in them.

    A factor whose levels are mappings changes several settings at once; its name is free.

    >>> keys_of(Recipe(), {"lr": [0.01, 0.1]})
    {'optim.lr': [0.01, 0.1]}
    """
    if not isinstance(cast(object, vary), Mapping):
        fail("study.factors-not-a-mapping", found=vary)
    faults = Faults()
    factors: dict[str, list[Level]] = {}
    for name, given in vary.items():
        if not isinstance(cast(object, given), list | tuple) and not (name in _NETS and isinstance(given, Mapping)):
            faults.add("study.levels-not-a-list", factor=name, found=given)
            continue
        levels = [str(level) if isinstance(level, Path) else level for level in given]
        if name in _NETS:
            before = len(faults)
            with faults.gathered():
                levels = [registered(level) if file_and_maker(level) else level for level in net_levels(given)]
            if len(faults) > before:
                continue
        distinct = [level for place, level in enumerate(levels) if level not in levels[:place]]
        if len(distinct) < 2:
            faults.add("study.one-level", factor=name, found=", ".join(shown(level) for level in levels))
        names = [shown(level) for level in distinct]
        if twice := {name for name in names if names.count(name) > 1 and any(map(callable, distinct))}:
            faults.add("study.levels-alike", factor=name, name=twice.pop())
        with faults.gathered():
            if any(isinstance(level, Mapping) for level in distinct):
                factors[name] = [_bundle(recipe, name, level) for level in distinct]
                continue
            key = _full_name(recipe, name, distinct)
            if key in factors:
                faults.add("study.factor-twice", factor=key)
            factors[key] = distinct
    if not vary:
        faults.add("study.no-factor")
    faults.raise_if_any()
    return factors


def cells(recipe: Recipe, factors: Mapping[str, Sequence[Level]], maker: Builder | None) -> list[Cell]:
    """Every combination of levels with its recipe, the first levels first."""
    combinations = itertools.product(*factors.values())
    return [cell(recipe, dict(zip(factors, levels, strict=True)), maker) for levels in combinations]


def cell(recipe: Recipe, factors: Mapping[str, Level], maker: Builder | None) -> Cell:
    """`recipe` with the levels of `factors` put in, on top of a whole recipe where one of them is a file of such.

    A level that is a mapping holds several settings.
    """
    if RECIPE in factors:
        recipe = _whole(recipe, factors[RECIPE])
    plain = {key: level for key, level in factors.items() if not isinstance(level, Mapping) and key != RECIPE}
    for level in factors.values():
        plain |= cast(Mapping[str, Level], level) if isinstance(level, Mapping) else {}
    net = plain.get("net.name")
    if isinstance(net, Builder):
        maker = net
        recipe = replace(recipe, net=replace(recipe.net, name=CUSTOM, options={"class": shown(net)}))
    elif net is not None:
        known = option_names(registered(net))
        kept = {key: value for key, value in recipe.net.options.items() if key in known}
        recipe, maker = replace(recipe, net=replace(recipe.net, options=kept)), None
    settings = {key: level for key, level in plain.items() if not callable(level)}
    named = {key: level if isinstance(level, str) else shown(level) for key, level in factors.items()}
    raw = {key: level for key, level in factors.items() if not callable(level) and key != RECIPE}
    return Cell(named | raw, draft_recipe(recipe=recipe, settings=settings), maker)


def _whole(base: Recipe, level: Level) -> Recipe:
    """The recipe in the file `level`; it is for the data of `base` where it names none."""
    given = draft_recipe(recipe=level)
    own = given.data.name or given.data.path
    return given if own else replace(given, data=base.data)


def _bundle(recipe: Recipe, name: str, level: Level) -> dict[str, Level]:
    """The settings of one level by their full names; an empty one leaves the recipe as it is."""
    if not isinstance(level, Mapping):
        raise UserError(Fault("study.level-not-settings", {"factor": name, "found": level}))
    settings = cast(Mapping[str, Level], level)
    for key, value in settings.items():
        if callable(value):
            fail("study.function-among-settings", factor=name, key=key)
    return {_full_name(recipe, key, [value]): value for key, value in settings.items()}


def _full_name(recipe: Recipe, name: str, levels: Sequence[Level]) -> str:
    """The dotted name of a factor, each of its levels tried in a recipe by itself."""
    if name == RECIPE:
        faults = Faults()
        for level in levels:
            with faults.gathered():
                cell(recipe, {RECIPE: level}, None)
        faults.raise_if_any()
        return RECIPE
    if name in _NETS:
        for level in levels:
            cell(recipe, {"net.name": level}, None)
        return "net.name"
    key, found = name, dict[str, Fault]()
    for level in levels:
        try:
            key = _key(recipe, name, level)
        except UserError as error:  # a name that is wrong is wrong at every level: it is told once
            found |= {str(fault): fault for fault in error.faults}
    if found:
        raise UserError(*found.values())
    if key in _NOT_VARIED:
        other = _NOT_VARIED[key]
        raise UserError(Fault("study.use-instead" if other else "study.not-a-factor", {"factor": key, "other": other}))
    return key


def _key(recipe: Recipe, name: str, level: Level) -> str:
    before = flat(recipe)
    after = flat(draft_recipe(recipe=recipe, settings={name: level}))
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if "." in name or not changed:
        return name if "." in name else _home(name, before)
    return changed[0]


def flat(recipe: Recipe) -> dict[str, Any]:
    """A recipe's values by dotted key."""
    return {f"{section}.{key}": value for section, keys in recipe.as_dict().items() for key, value in keys.items()}


def _home(name: str, values: Mapping[str, Any]) -> str:
    """The dotted key of a flat name whose level is what the recipe says already."""
    return next((key for key in values if key.partition(".")[2] == name), next(iter(home_of(name)), name))
