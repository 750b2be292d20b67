"""The net of a run that is in a file of the user's own: where it lies now, and the copy that the run's folder keeps.

The copy is there to be read, and for another machine. danlu never runs it by itself, because a folder may come from
anybody: it is run where the user names it, as any other file.
"""

import contextlib
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, UserError, fail
from danlu.base.files import absolute, replace_file
from danlu.base.own_code import file_and_maker
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.nets.own_file import content_run
from danlu.store.run_folder import RunFolder

_LOST = ("nets.own-no-file", "nets.own-changed")


def with_net_at(recipe: Recipe, name: str) -> Recipe:
    """The recipe of a run whose net lies in another file by now, `my_nets.py:Net` or the file alone. UserError where
    its net is in no file, or is another class of it.
    """
    given, kept = file_and_maker(name), file_and_maker(recipe.net.name)
    if given is None or kept is None:
        fail("lab.own-net-unknown", name=name, net=recipe.net.label)
    if given[1] not in ("", kept[1]):
        fail("lab.own-net-other", name=given[1], kept=kept[1])
    place = absolute(Path(given[0]).expanduser())
    return replace(recipe, net=replace(recipe.net, name=f"{place}:{kept[1]}"))


def refuse_unasked(recipe: Recipe, place: RunFolder) -> None:
    """UserError where the recipe of a run would have code run that nobody but the run's own folder vouches for."""
    own = file_and_maker(recipe.net.name)
    if own is None:
        return
    inside = absolute(Path(own[0])).resolve().is_relative_to(place.path.resolve())
    if inside or recipe.net.sha256 is None:
        fail("lab.own-net-unasked", name=recipe.net.name, folder=shown(place.path))


@contextlib.contextmanager
def telling_where_net_was(recipe: Recipe, place: RunFolder) -> Generator[None]:
    """Around the building of a run's net: where its file is gone, or has changed, it is told how to name another."""
    try:
        yield
    except UserError as error:
        if error.faults[0].id not in _LOST:
            raise
        copy = own_copy(place)
        told = {"what": error.faults[0], "folder": shown(place.path), "maker": recipe.net.label.partition(":")[2]}
        lost = "lab.own-net-lost-copied" if copy.is_file() else "lab.own-net-lost"
        raise UserError(Fault(lost, {**told, "copy": shown(copy)}), *error.faults[1:]) from None


def own_copy(place: RunFolder) -> Path:
    """Where a run's folder keeps the file that its net is in, as it was."""
    return place.path / "net.py"


def keep_copy(recipe: Recipe, place: RunFolder) -> None:
    """Keep the file that the net was made of in the run's folder; StorageError where the disk refuses."""
    content = content_run(recipe.net.sha256) if recipe.net.in_file else None
    if content is not None and not own_copy(place).exists():
        replace_file(own_copy(place), content)
