"""The package of a run, read: what it needs to answer without its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.errors import UserError, fail
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.data.dataset import Origin
from danlu.data.packaged import PackagedDataset
from danlu.data.plain import from_plain
from danlu.data.preprocessing import Preprocessing
from danlu.store.package_file import RunAnswers, read_package_file


@dataclass(frozen=True)
class Package:
    """What `package.json` of a run's folder holds: the fitted preprocessing, and of the data their `fingerprint`, how
    they were divided (`sizes`) and what else tells them apart (`held`); and `answers` once the run has ended.
    """

    preprocessing: Preprocessing
    fingerprint: str
    sizes: Mapping[str, int]
    held: Mapping[str, Any]
    answers: RunAnswers | None = None


def read_package(path: Path) -> Package | None:
    """The package in the file `path`; None where there is none (danlu 0.1 wrote none). UserError where it is damaged,
    or was written by a later danlu.
    """
    package = read_package_file(path)
    if package is None:
        return None
    try:
        facts, fitted = package.data, from_plain(package.preprocessing)
        return Package(fitted, facts["fingerprint"], facts["sizes"], facts["held"], package.answers)
    except (ValueError, KeyError, TypeError, AttributeError):
        return fail("store.package-damaged", path=shown(path))


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
