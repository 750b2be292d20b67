"""Another run as the beginning of a new one: its net with the weights that were scored, for other data."""

from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.run.run_record import RunRecord
from danlu.run.scored_net import scored_weights
from danlu.run.settings.draft import CUSTOM
from danlu.run.settings.usual import as_it_began
from danlu.store.records import ParentRun
from danlu.store.run_folder import RunFolder
from danlu.train.checkpoint import hash_of_part


def net_of(run: RunRecord | str | Path) -> dict[str, Any]:
    """The section `[net]` of a recipe that begins where `run` ended: its net, and the file of the scored weights.

    UserError where it has not ended or has diverged, or its weights are damaged.
    """
    record = run if isinstance(run, RunRecord) else RunRecord(run)
    refuse_as_beginning(record)
    recipe, place = as_it_began(record.recipe), RunFolder(record.folder)
    file = place.path / scored_weights(place, recipe, finished=True).file.file
    held = {"sha256": recipe.net.sha256} if recipe.net.in_file else {}
    return {"name": recipe.net.name, **held, **recipe.net.options, "weights": str(file)}


def begin_at(net: object, run: RunRecord | str | Path, settings: dict[str, Any]) -> tuple[object, dict[str, Any]]:
    """The net and the settings of a training that begins with the weights of `run`; its net, where none is given."""
    section = net_of(run)
    if net is not None:
        return net, {**settings, "net.weights": section["weights"]}
    if section["name"] == CUSTOM:
        fail("further.needs-net-again", name=section.get("class", CUSTOM))
    return section, settings


def refuse_as_beginning(run: RunRecord) -> None:
    """UserError where nothing can begin with `run`: it has not ended, has diverged, or has no weights."""
    run.refuse_imported()
    if not run.finished:
        fail("further.unfinished", folder=shown(run.folder))
    if run.diverged:
        fail("further.diverged", folder=shown(run.folder), step=f"{run.diverged_since:,}")


def parent_with(weights: str | None) -> ParentRun | None:
    """The run whose weights lie in the file `weights`; None where that belongs to no run."""
    file = Path(weights or "")
    place = RunFolder(file.parent.parent.parent)
    if file.parent.parent != place.checkpoints or not (place.recipe.is_file() and place.journal.is_file()):
        return None
    digest = hash_of_part(file)
    if digest is None:
        return None
    record = RunRecord(place.path)
    epoch = record.scored_epoch if file.stem == "best" else record.epochs
    return ParentRun(name=record.folder.name, folder=str(record.folder), weights=digest, epoch=epoch, further=False)
