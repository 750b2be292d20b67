"""The data of a run, loaded once more: they have to be those that it was trained on."""

import contextlib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from danlu.base.errors import UserError, fail
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.data import Dataset
from danlu.data.inventory import changes, inventory
from danlu.data.standard import Standard
from danlu.run.package import read_package
from danlu.run.setup import load_data, prepared_anew
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder

_NOT_FOUND = ("data.missing-file", "data.no-root", "data.unavailable")


def load_trained(place: RunFolder, recipe: Recipe, given: object = None, root: str | Path | None = None) -> Dataset:
    """The data of a run, loaded again; UserError with what has changed where they are not those it was trained on."""
    data = load_data(recipe.data, given, root).limited(bool(recipe.train.limit_predictions))
    facts, package = read_environment(place.environment), read_package(place.package)
    if facts is None:
        return data
    wanted, held = facts["data"]["fingerprint"], inventory(data)
    renamed = package is not None and package.held["columns"] != held["columns"]
    if data.fingerprint() == wanted and not renamed:
        return data
    if recipe.data.standardise is None and isinstance(data.encoder, Standard):
        # danlu 0.1 left arrays as they were, and did not say so in the recipe.
        as_they_came = prepared_anew(data, {"standardise": False}).limited(False)
        if as_they_came.fingerprint() == wanted:
            return as_they_came
    before = package.held if package else _held_by_0_1(facts["data"]["sizes"])
    told = " ".join(str(change) for change in changes(before, held))
    return fail("lab.data-changed", folder=shown(place.path), name=data.name, changes=told)


@contextlib.contextmanager
def telling_where(phrase: str, **facts: Any) -> Generator[None]:
    """Around the loading of a run's data: where these are not to be found, the `phrase` says how to name their place.

    >>> try:
    ...     with telling_where("lab.data-moved", folder="runs/a"):
    ...         fail("data.missing-file", path="a.csv")
    ... except UserError as error:
    ...     print(error.faults[0].id, error.faults[0].values["what"].id)
    lab.data-moved data.missing-file
    """
    try:
        yield
    except UserError as error:
        if error.faults[0].id in _NOT_FOUND:
            fail(phrase, what=error.faults[0], **facts)
        raise


def _held_by_0_1(sizes: Mapping[str, int]) -> dict[str, Any]:
    unknown = dict.fromkeys(("sample_shape", "classes", "columns"))
    return {"samples": sum(sizes.values()), "sizes": dict(sizes), **unknown}
