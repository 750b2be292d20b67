"""What the processes that danlu starts are told of a training: a recipe, a folder, and where data lie."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.files import absolute
from danlu.base.own_code import file_and_maker
from danlu.base.recipe import CUSTOM, Recipe
from danlu.base.recipe_text import to_toml
from danlu.run.distributed.launching import start
from danlu.run.listeners.notify import Notifier


def refuse_objects(recipe: Recipe, data: object, given: Iterable[Any]) -> None:
    """UserError for what lives in this process alone: data, nets and functions that no recipe brings back."""
    lives_here = recipe.data.name == CUSTOM or recipe.net.name == CUSTOM or any(one is not None for one in given)
    if lives_here or not (data is None or isinstance(data, str | Path) or getattr(data, "recipe", None) is not None):
        fail("processes.objects", processes=recipe.train.processes)


def start_fit(recipe: Recipe, folder: Path | None, notifier: Notifier | None, *, progress: bool) -> Path:
    """Have the recipe's processes train by it; the folder of the run."""
    with tempfile.TemporaryDirectory(prefix="danlu-") as scratch:
        file = Path(scratch) / "recipe.toml"
        file.write_text(to_toml(_from_anywhere(recipe)), encoding="utf-8")
        named = [] if folder is None else ["--folder", str(folder)]
        named += _notifying(notifier)
        return start(["fit", str(file), *named], recipe.train.processes or 1, folder, progress=progress)


def start_resume(
    recipe: Recipe,
    folder: Path,
    net: object,
    data: object,
    root: object,
    notifier: Notifier | None,
    *,
    progress: bool,
) -> None:
    """Have the recipe's processes go on with the run in `folder`."""
    words = ["resume", str(folder)]
    words += ["--net", net] if isinstance(net, str) else []
    words += ["--data", str(data)] if isinstance(data, str | Path) else []
    words += [f"data.root={root}"] if root is not None else []
    words += _notifying(notifier)
    start(words, recipe.train.processes or 1, folder, progress=progress)


def _notifying(notifier: Notifier | None) -> list[str]:
    return [] if notifier is None else ["--notify", notifier.word]


def _from_anywhere(recipe: Recipe) -> Recipe:
    """The recipe with the file of a net by its absolute path: it is written to another folder."""
    own = file_and_maker(recipe.net.name)
    if own is None:
        return recipe
    return replace(recipe, net=replace(recipe.net, name=f"{absolute(Path(own[0]).expanduser())}:{own[1]}"))
