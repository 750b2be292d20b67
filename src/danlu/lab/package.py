"""The package of a run: what it needs to answer without its data, and to tell whether data are still its own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import UserError, fail
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.base.strict_json import to_json
from danlu.data import Dataset
from danlu.data.dataset import Origin
from danlu.data.inventory import changes, inventory
from danlu.data.packaged import PackagedDataset
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.standard import Standard
from danlu.lab.environment import read_environment
from danlu.lab.setup import load_data, prepared_anew
from danlu.store.run_folder import RunFolder

SCHEMA = 1


@dataclass(frozen=True)
class Package:
    """What `package.json` of a run's folder holds: the fitted preprocessing, and of the data their `fingerprint`, how
    they were divided (`sizes`) and what else tells them apart (`held`).
    """

    preprocessing: Preprocessing
    fingerprint: str
    sizes: Mapping[str, int]
    held: Mapping[str, Any]


def package_bytes(data: Dataset) -> bytes | None:
    """The package of a run on `data` as strict JSON; None where the user's own encoder has no plain form."""
    try:
        fitted = to_plain(Preprocessing.of(data))
    except UserError:
        return None
    facts = {"fingerprint": data.fingerprint(), "sizes": dict(data.sizes), "held": inventory(data)}
    content = {"schema": SCHEMA, "preprocessing": fitted, "data": facts}
    return to_json({**content, "checksum": _checksum(content)}).encode() + b"\n"


def read_package(path: Path) -> Package | None:
    """The package in the file `path`; None where there is none (danlu 0.1 wrote none). UserError where it is damaged,
    or was written by a later danlu.
    """
    if not path.exists():
        return None
    try:
        content = cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
        if content["schema"] == SCHEMA and content.pop("checksum") == _checksum(content):
            facts = content["data"]
            fitted = from_plain(content["preprocessing"])
            return Package(fitted, facts["fingerprint"], facts["sizes"], facts["held"])
        newer = isinstance(content["schema"], int) and content["schema"] > SCHEMA
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        newer = False
    return fail("lab.package-newer" if newer else "lab.package-damaged", path=shown(path))


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


def without_samples(package: Package, recipe: Recipe, reason: UserError) -> PackagedDataset:
    """The data as far as the package tells of them; what needs samples raises `reason`."""
    fitted = package.preprocessing
    return PackagedDataset(
        name=fitted.name,
        sample_shape=fitted.sample_shape,
        sizes=dict(package.sizes),
        target=fitted.target,
        encoder=fitted.encoder,
        vocabulary=fitted.vocabulary,
        origin=Origin(recipe.data.path),
        recipe=recipe.data,
        reason=reason,
        recorded=package.fingerprint,
    )


def _held_by_0_1(sizes: Mapping[str, int]) -> dict[str, Any]:
    unknown = dict.fromkeys(("sample_shape", "classes", "columns"))
    return {"samples": sum(sizes.values()), "sizes": dict(sizes), **unknown}


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(content).encode()).hexdigest()[:32]
