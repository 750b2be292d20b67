"""From names, objects and settings to a checked recipe."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, cast

from torch import nn

from danlu.base.errors import Fault, Faults, fail
from danlu.base.input_files import path_kind
from danlu.base.naming import spelled
from danlu.base.own_code import file_and_maker
from danlu.base.recipe import CUSTOM, DataRecipe, Recipe
from danlu.base.recipe_text import RecipeDraft
from danlu.data import Dataset
from danlu.data.catalogue import known
from danlu.nets import AUTO, option_names, options_of_usual_nets, recipe_of, registered, usual_options
from danlu.nets import names as net_names
from danlu.nets.own_file import own_file, own_maker
from danlu.run.settings.balance import OF_ORDER
from danlu.train.losses import registered_loss
from danlu.train.optimisers import registered_optimiser
from danlu.train.schedules import registered_schedule

_REGISTRIES: dict[str, Callable[[str], str]] = {
    "net.name": lambda name: AUTO if name == AUTO else registered(name),
    "loss.name": registered_loss,
    "optim.name": lambda name: AUTO if name == AUTO else registered_optimiser(name),
    "schedule.name": registered_schedule,
    "data.name": lambda name: known(name) or name,
}

RecipeSource = Recipe | Mapping[str, Any] | str | Path | None
"""A recipe as it may be given: made, as nested mappings, or as the path of its TOML file."""

_DATA_KEYS = [key.name for key in fields(DataRecipe) if key.name not in OF_ORDER]
"""What `danlu.load` has done already where a loaded data set is given."""


def draft_recipe(
    net: object = None,
    data: object = None,
    recipe: RecipeSource = None,
    settings: Mapping[str, Any] | None = None,
    words: Iterable[str] = (),
) -> Recipe:
    """The recipe of a training. Later ones win: `recipe` (or its file), `net` and `data`, flat `settings`, `words`.

    >>> draft_recipe("mlp", "digits", settings={"lr": 0.1}).optim.lr
    0.1
    """
    draft, faults, settings = RecipeDraft(), Faults(), _with_output(settings or {})
    if isinstance(recipe, Recipe):
        draft.read_recipe(recipe)
    elif isinstance(recipe, str | Path):
        draft.read_file(recipe)
    elif isinstance(recipe, Mapping):
        draft.read_tree(recipe)
    elif recipe is not None:
        fail("lab.not-a-recipe", found=type(recipe).__name__)
    if net is not None:
        _take_net(draft, net)
    if data is not None:
        _take_data(draft, data, settings)
    options = list[str]()
    with faults.gathered():
        options = _options(draft)
    with faults.gathered():
        draft.read_keywords(settings, options)
    with faults.gathered():
        draft.read_words(words)
    if isinstance(draft.values.get("net.outputs"), str):  # of several outputs the one to score, not their number
        draft.put("net.output", draft.values.pop("net.outputs"), draft.places["net.outputs"])
    for key in draft.values.keys() & set(options):
        faults.add("recipe.ambiguous-key", key=key, homes=f"net.{key}")
        del draft.values[key]
    for key, spell in _REGISTRIES.items():
        value = draft.values.get(key)
        if isinstance(value, str) and value != CUSTOM:
            with faults.gathered():
                draft.values[key] = spell(value)
    drafted = Recipe()
    with faults.gathered():
        drafted = draft.recipe()
    faults.raise_if_any()
    if isinstance(net, nn.Module) and drafted.net.name != CUSTOM:
        usual = {f"net.{key}" for key in usual_options(drafted.net.name, drafted.net.options)}
        drafted = replace(drafted, chosen=drafted.chosen | usual)
    return held_to_file(drafted)


def _with_output(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """outputs="logits" names the output that is scored: of nets that take one, `outputs` is their number."""
    if not isinstance(settings.get("outputs"), str):
        return settings
    return {"net.output" if key == "outputs" else key: value for key, value in settings.items()}


def held_to_file(recipe: Recipe) -> Recipe:
    """The recipe with the SHA-256 of the file that its net is in, as it is now; without such a file, as it is.

    UserError where it has one, and the file is another by now.
    """
    if not recipe.net.in_file:
        return recipe
    if recipe.net.sha256 is not None:
        own_maker(recipe.net.name, recipe.net.sha256)
        return recipe
    net = replace(recipe.net, sha256=own_file(recipe.net.name).sha256)
    return replace(recipe, net=net, chosen=recipe.chosen | {"net.sha256"})


def net_and_data(net: object, data: object) -> tuple[object, object]:
    """The two first arguments of fit as they were meant: data alone may stand where the net does.

    >>> net_and_data("digits", None), net_and_data("mlp", None)
    ((None, 'digits'), ('mlp', None))
    """
    if data is not None or net is None or callable(net):
        return net, data
    if file_and_maker(net):
        return net, data
    if isinstance(net, str) and (spelled(net, (AUTO, *net_names())) or not (known(net) or _looks_like_path(net))):
        return net, data
    if isinstance(net, Mapping) and "name" in net:
        return net, data
    if isinstance(net, int | float):
        return net, data
    return None, net


def _options(draft: RecipeDraft) -> list[str]:
    """The options of the net that is named so far, or of all that data can call for; none where the name is unknown,
    which is told later.
    """
    name = str(draft.values.get("net.name", AUTO))
    if name == AUTO:
        return options_of_usual_nets()
    if file_and_maker(name):
        return option_names(name, draft.values.get("net.sha256"))
    return option_names(name) if spelled(name, net_names()) else []


def _take_section(draft: RecipeDraft, section: str, keys: Mapping[str, Any]) -> None:
    for key, value in keys.items():
        draft.put(f"{section}.{key}", value, Fault("recipe.place-call"))


def _forget(draft: RecipeDraft, *keys: str) -> None:
    for key in [key for key in draft.values if key.startswith(keys)]:
        del draft.values[key]


def _take_net(draft: RecipeDraft, net: object) -> None:
    if isinstance(net, nn.Module):
        name, options = recipe_of(net) or (CUSTOM, {"class": type(net).__name__})
        output = {"output": draft.values["net.output"]} if "net.output" in draft.values else {}
        _forget(draft, "net.")
        _take_section(draft, "net", {"name": name, **options, **output})
    elif isinstance(net, str):
        _forget(draft, "net.sha256")  # what is named anew is meant as it is now
        _take_section(draft, "net", {"name": net})
    elif isinstance(net, Mapping):
        _take_section(draft, "net", cast(Mapping[str, Any], net))
    elif isinstance(net, type) and issubclass(net, nn.Module):
        fail("lab.net-class", name=net.__name__)
    else:
        fail("lab.not-a-net", found=type(net).__name__)


def _take_data(draft: RecipeDraft, data: object, settings: Mapping[str, Any]) -> None:
    given = [key for key in settings if key.removeprefix("data.") in _DATA_KEYS]
    if isinstance(data, Dataset):
        if given:
            fail("lab.data-already-loaded", keys=", ".join(given))
        _forget(draft, *(f"data.{key}" for key in _DATA_KEYS))
        kept = {key: value for key, value in asdict(data.recipe).items() if value is not None} if data.recipe else {}
        for key in OF_ORDER:
            kept.pop(key, None)  # is no matter of loading: a recipe's own word on it stands
        _take_section(draft, "data", kept or {"name": CUSTOM})
        return
    _forget(draft, "data.name", "data.path")
    twice = [key for key in given if key.removeprefix("data.") in ("name", "path")]
    if twice:
        fail("lab.data-given-twice", keys=", ".join(twice))
    if isinstance(data, str | Path):
        _take_section(draft, "data", source_of(data))
    else:
        _take_section(draft, "data", {"name": CUSTOM})
        for before in draft.chosen.values():
            before["data.name"] = None  # objects given anew are other data, though both go by the name "custom"


def source_of(data: str | Path) -> dict[str, str]:
    """The one word of a user's that says where the data come from, as a recipe has it.

    >>> source_of("mnist"), source_of("train.csv")
    ({'name': 'mnist'}, {'path': 'train.csv'})
    """
    if isinstance(data, str) and (known(data) or not _looks_like_path(data)):
        return {"name": known(data) or data}
    return {"path": str(data)}


def _looks_like_path(source: str | Path) -> bool:
    return isinstance(source, Path) or path_kind(source) != "missing" or Path(source).suffix != "" or "/" in source
