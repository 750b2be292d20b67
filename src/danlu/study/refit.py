"""The combination that a study or a search has chosen, trained once more: on all but the test part."""

from dataclasses import replace
from typing import Any

import numpy

from danlu.base.errors import UserError
from danlu.base.files import replace_file
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import to_toml
from danlu.data import Dataset
from danlu.run.fit import fit, resume
from danlu.run.settings.draft import CUSTOM
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.study.levels import plain
from danlu.study.plan import Planned


def refitted(place: StudyFolder, chosen: Planned, seed: int) -> dict[str, Any]:
    """Train a combination on training and validation part together, and score it on the test part; what the journal
    tells of it: the run's name in the folder, and whether the validation part could be trained on.
    """
    whole = _all_data(chosen)
    data = whole or chosen.setup.data
    recipe = chosen.recipe(seed, data)
    if whole is not None:
        recipe = _whole(recipe, whole, _epochs_led_to(place, chosen))
    replace_file(place.best, to_toml(recipe).encode())
    net = chosen.net(seed) if recipe.net.name == CUSTOM else None
    name = f"best-{recipe.fingerprint()}"
    if RunFolder(place.path / name).recipe.is_file():
        resume(place.path / name, net=net, data=data, progress=False)
    else:
        fit(net, data, recipe=recipe, folder=place.path / name, progress=False)
    return {"run": name, "refit": whole is not None}


def _whole(recipe: Recipe, data: Dataset, epochs: int | None) -> Recipe:
    """The recipe without a validation part: what needed one gives way to the number of epochs that it led to."""
    train = recipe.train
    if train.scores_best:
        train = replace(train, patience=None, weights=None, epochs=max(epochs or train.epochs or 1, train.thaw or 1))
    kept = data.recipe or replace(recipe.data, fold=None, fold_seed=None, refit=True)
    return replace(recipe, train=train, data=replace(kept, shuffle=recipe.data.shuffle, balance=recipe.data.balance))


def _epochs_led_to(place: StudyFolder, chosen: Planned) -> int | None:
    """The epoch whose weights were scored, in the mean over the members of a combination; None where none was noted."""
    factors = plain(chosen.cell.factors)
    members = [one for one in StudyHistory.read(place.journal).members if one.factors == factors]
    scored = [one.scored_epoch for one in members if one.scored_epoch and not one.diverged]
    return round(float(numpy.mean(scored))) if scored else None


def _all_data(chosen: Planned) -> Dataset | None:
    """The data with the validation part trained on as well; None where the schedule needs one, or where they come with
    an order or a division that cannot be changed.
    """
    if chosen.setup.recipe.schedule.name == "plateau":
        return None
    try:
        return chosen.setup.data.refit()
    except UserError:
        return None
