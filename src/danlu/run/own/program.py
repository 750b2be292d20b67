"""The net of a run that is the user's own code, as a program beside its weights: written at the end, opened without it.

torch takes about a second to import what it follows a net with, and a quarter for each small one, so that danlu's own
nets, which are built by their names anywhere, get none, and a row of torch's own layers is kept as what it is.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from danlu.base.errors import DanluError, Fault, StorageError, UserError
from danlu.base.files import replace_file
from danlu.base.places import keeps_programs, shown
from danlu.base.recipe import Recipe
from danlu.base.seeds import choose_device
from danlu.data import Dataset
from danlu.data.preprocessing import Preprocessing
from danlu.ship import Answerer, export
from danlu.store.package_file import GoldenSamples, PackedFile, RunAnswers
from danlu.store.run_folder import RunFolder

_WITHOUT_CODE = ("lab.net-not-in-recipe", "lab.own-net-unasked", "lab.own-net-lost", "lab.own-net-lost-copied")
_SAMPLES = 8
_MOST_REASON = 300


@dataclass(frozen=True)
class KeptProgram:
    """The file of a program, or why there is none; neither where none is wanted."""

    file: PackedFile | None = None
    reason: Fault | None = None


def keep_program(
    place: RunFolder, recipe: Recipe, answerer: Answerer | None, golden: GoldenSamples, data: Dataset | None
) -> KeptProgram:
    """Write the net of a run into its folder as a program, or as its layers where these are all of it, if it is the
    user's own: proved on the `golden` samples, or, where there are none, on the first of the test part of `data`.
    StorageError where the disk refuses.
    """
    if not recipe.net.is_own or not keeps_programs():
        return KeptProgram()
    if answerer is None:
        return KeptProgram(reason=Fault(golden.missing))
    file = place.layers
    try:
        samples = _samples(answerer, golden, data)
        content = export.net_layers(answerer, samples, Path(file.name))
        if content is None:
            file = place.program
            content = export.net_program(answerer, samples, Path(file.name))
    except StorageError:
        raise
    except DanluError as error:
        return KeptProgram(reason=_in_words(error.faults[0]))
    except Exception as error:  # noqa: BLE001 - the training is done: the user's code may not take its end away
        reason = (str(error).strip().splitlines() or ["–"])[0][:_MOST_REASON]
        return KeptProgram(reason=Fault("export.program-fails", {"reason": f"{type(error).__name__}: {reason}"}))
    replace_file(file, content)
    return KeptProgram(PackedFile(file.name, hashlib.sha256(content).hexdigest()))


def lacks_program(recipe: Recipe, answers: RunAnswers) -> bool:
    """Whether a program could be there and is not, of a run of an older danlu."""
    return recipe.net.is_own and answers.program is None and answers.no_program is None


def answerer_of_program(
    place: RunFolder, fitted: Preprocessing, answers: RunAnswers | None, error: UserError
) -> Answerer:
    """What answers by the program in a run's folder, where the code of its net is not at hand, as `error` says; that is
    raised, with the reason, where there is none, and whatever else it says.
    """
    if error.faults[0].id not in _WITHOUT_CODE or answers is None:
        raise error
    if answers.program is None:
        why = answers.no_program
        told = Fault("lab.no-program-yet", {"folder": shown(place.path)}) if why is None else why
        raise UserError(*error.faults, Fault("lab.no-program", {"why": told})) from None
    content, path = answers.program.refuse_other(place.path), answers.program.path(place.path)
    if path.suffix == place.layers.suffix:
        return Answerer(fitted, *export.open_net_layers(content, path))
    net = export.open_net_program(content, path)
    return Answerer(fitted, net, net.takes)


def _samples(answerer: Answerer, golden: GoldenSamples, data: Dataset | None) -> Tensor:
    if golden.samples or data is None:
        return answerer.encode(golden.raw())
    part = next((part for part in ("test", "validation") if data.sizes[part]), "train")
    size = min(_SAMPLES, data.sizes[part])
    return next(iter(data.batches(part, size, device=choose_device("cpu"), dtype=answerer.dtype)))[0]


def _in_words(fault: Fault) -> Fault:
    """The fault as a file keeps it: its values as words and numbers."""
    kept = {
        name: one if isinstance(one, int | float) else str(one)[:_MOST_REASON] for name, one in fault.values.items()
    }
    return Fault(fault.id, kept)
