"""What the words of a command that trains name: a recipe's file, data, a net, settings; and what they make together."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, Faults, nearest
from danlu.base.input_files import path_kind
from danlu.base.naming import spelled
from danlu.base.own_code import file_and_maker
from danlu.base.recipe import Recipe
from danlu.base.setting_keys import known_keys
from danlu.cli.words import split_words, tracked_by
from danlu.data.catalogue import known
from danlu.data.catalogue import names as data_names
from danlu.data.readers.table_file import KINDS as TABLE_KINDS
from danlu.nets import names as net_names
from danlu.run.settings.draft import draft_recipe


@dataclass(frozen=True)
class Asked:
    """What the words name: the file of a recipe, data, a net, and settings as `section.key=value`."""

    recipe: str | None
    data: str | None
    net: str | None
    settings: list[str]

    def drafted(self, net: Mapping[str, Any] | None = None) -> Recipe:
        """The recipe that all of it makes; `net` is that of another run, where it is taken."""
        return draft_recipe(self.net if net is None else net, self.data, self.recipe, words=self.settings)


def asked_for(arguments: argparse.Namespace) -> Asked:
    """Sort the words of a verb that trains. UserError with all that cannot be told, or is named twice."""
    words, settings = split_words(arguments)
    faults = Faults()
    found: dict[str, list[str]] = {"recipe": [], "data": [], "net": []}
    waiting = iter(words)
    for word in waiting:
        section, _, key = word.partition(".")
        if key in known_keys().get(section, []):  # `train.epochs 3`
            faults.add("cli.setting-without-equals", word=word, value=next(waiting, "…"))
        elif kind := _kind_of(word, faults):
            found[kind].append(word)
    for kind, option in (("data", arguments.data), ("net", arguments.net)):
        found[kind] += [] if option is None else [option]
    if arguments.target is not None:
        settings = [*settings, f"data.target={arguments.target}"]
    settings = [*settings, *tracked_by(arguments)]
    for kind, named in found.items():
        if len(named) > 1:
            faults.add(f"cli.one-{kind}", found=", ".join(named))
    faults.raise_if_any()
    recipe, data, net = ((named or [None])[0] for named in found.values())
    return Asked(recipe, data, net, settings)


def _kind_of(word: str, faults: Faults) -> str | None:
    """What a word is; None, with a fault that says what to write instead, where it is nothing that trains."""
    path = Path(word).expanduser()
    if word == "-":
        faults.add("cli.no-standard-input")
    elif path_kind(path / "recipe.toml") == "file":
        faults.add("cli.run-as-recipe", word=word)
    elif word.lower().endswith(".toml"):
        return "recipe"
    elif file_and_maker(word):
        return "net"
    elif known(word) or path_kind(path) != "missing" or word.lower().endswith(TABLE_KINDS):
        return "data"
    elif spelled(word, net_names()):
        return "net"
    else:
        faults.add("cli.unknown-word", word=word, hint=_nearest_to(word, path))
    return None


def _nearest_to(word: str, path: Path) -> Fault | str:
    """The name that is spelled nearest: of a data set, of a net, or of what lies where the word points to."""
    beside = [one.name for one in path.parent.iterdir()] if path_kind(path.parent) == "folder" else []
    return nearest(path.name, beside) or nearest(word, [*data_names(), *net_names()])
