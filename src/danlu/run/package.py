"""The package of a run: what it needs to answer without its data, and to tell whether data are still its own."""

import contextlib
import copy
import importlib.metadata
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, UserError, fail
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.base.records import Score
from danlu.base.seeds import choose_device, hardware
from danlu.data import Dataset
from danlu.data.dataset import Origin
from danlu.data.inventory import changes, inventory
from danlu.data.packaged import PackagedDataset
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.standard import Standard
from danlu.data.targets import CLASSED
from danlu.run.own.program import keep_program
from danlu.run.scored_net import ScoredWeights, answerer_of, scored_net, scored_weights
from danlu.run.setup import load_data, prepared_anew
from danlu.ship import Answerer
from danlu.ship.golden import decision_of
from danlu.ship.golden_samples import golden_samples
from danlu.store.package_file import GoldenSamples, PackageFile, PartScore, RunAnswers, read_package_file
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder

_NOT_FOUND = ("data.missing-file", "data.no-root", "data.unavailable")


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


def package_bytes(data: Dataset) -> bytes | None:
    """The package of a run on `data` as it begins; None where the user's own encoder has no plain form."""
    try:
        return begun_package(data).encoded()
    except UserError:
        return None


def complete_package(
    place: RunFolder, recipe: Recipe, data: Dataset, net: nn.Module, score: Mapping[str, Score], shape: tuple[int, ...]
) -> Fault | None:
    """Add to the package of a run, whose weights are saved, what its answers mean and how good they are; `net` is of
    the run's structure, and `shape` that of its outputs for one sample. What comes is why the net, the user's own, has
    no program that answers without its code. StorageError where the disk refuses.
    """
    package = read_package_file(place.package)
    if package is None:  # the user's own encoder has no plain form
        return None
    weights = scored_weights(place, recipe, finished=True)
    fitted = to_plain(Preprocessing.of(data))  # the thresholds of labels are known by now
    target = {key: value for key, value in fitted["target"].items() if key != "classes"}
    answerer, golden = _golden(place, recipe, data, net, weights)
    program = keep_program(place, recipe, answerer, golden, data)
    answers = RunAnswers(
        task=data.task,
        decision=decision_of(data.task, shape, data.outputs),
        classes=data.target.names if isinstance(data.target, CLASSED) else (),
        target=target,
        score={part: PartScore(data.sizes[part], dict(metrics)) for part, metrics in score.items()},
        recipe=recipe.fingerprint(),
        weights=weights.file,
        versions=_versions(),
        golden=golden,
        program=program.file,
        no_program=program.reason,
    )
    replace(package, preprocessing=fitted, answers=answers).write(place.package)
    return program.reason


def _golden(
    place: RunFolder, recipe: Recipe, data: Dataset, net: nn.Module, weights: ScoredWeights
) -> tuple[Answerer | None, GoldenSamples]:
    """What answers with the weights, and what it says of a few samples."""
    try:
        answerer = answerer_of(scored_net(place, recipe, copy.deepcopy(net), weights), Preprocessing.of(data))
        return answerer, golden_samples(data, answerer)
    except Exception:  # noqa: BLE001  (a net is the user's code: it may refuse to be copied, or to run on the CPU)
        return None, GoldenSamples(missing="ship.golden-net-fails")


def add_program(place: RunFolder, recipe: Recipe, answerer: Answerer, data: Dataset | None) -> None:
    """Write the program that the package of a finished run lacks, proved on its golden samples, or on `data` where it
    has none. StorageError where the disk refuses.
    """
    package = read_package_file(place.package)
    assert package is not None and package.answers is not None
    program = keep_program(place, recipe, answerer, package.answers.golden, data)
    answers = replace(package.answers, program=program.file, no_program=program.reason)
    replace(package, answers=answers).write(place.package)


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


def begun_package(data: Dataset) -> PackageFile:
    """The package of a run on `data` before it has ended. UserError where the user's own encoder has no plain form."""
    fitted = to_plain(Preprocessing.of(data))
    facts = {"fingerprint": data.fingerprint(), "sizes": dict(data.sizes), "held": inventory(data)}
    return PackageFile(fitted, facts)


def _versions() -> dict[str, str]:
    machine = hardware(choose_device("cpu"))
    own = importlib.metadata.version("danlu")
    return {"danlu": own, "torch": str(machine["torch"]), "python": str(machine["python"])}


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
