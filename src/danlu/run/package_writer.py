"""The package of a run, written: as the run begins, and once more when it has ended."""

import copy
import importlib.metadata
from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from danlu.base.errors import Fault, UserError
from danlu.base.recipe import Recipe
from danlu.base.records import Score
from danlu.base.seeds import choose_device, hardware
from danlu.data import Dataset
from danlu.data.inventory import inventory
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.targets import CLASSED
from danlu.run.own.program import keep_program
from danlu.run.scored_net import ScoredWeights, answerer_of, scored_net, scored_weights
from danlu.ship import Answerer
from danlu.ship.golden import decision_of
from danlu.ship.golden_samples import golden_samples
from danlu.store.package_file import GoldenSamples, PackageFile, PartScore, RunAnswers, read_package_file
from danlu.store.run_folder import RunFolder


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


def begun_package(data: Dataset) -> PackageFile:
    """The package of a run on `data` before it has ended. UserError where the user's own encoder has no plain form."""
    fitted = to_plain(Preprocessing.of(data))
    facts = {"fingerprint": data.fingerprint(), "sizes": dict(data.sizes), "held": inventory(data)}
    return PackageFile(fitted, facts)


def _versions() -> dict[str, str]:
    machine = hardware(choose_device("cpu"))
    own = importlib.metadata.version("danlu")
    return {"danlu": own, "torch": str(machine["torch"]), "python": str(machine["python"])}
