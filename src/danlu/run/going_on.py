"""Going on: a run that has ended is trained further, as a new run that begins with all that the old one had."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, fail
from danlu.base.events import Listener
from danlu.base.memory import memory_guard
from danlu.base.places import launched, shown
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import RecipeDraft
from danlu.base.recipe_values import MOST_EPOCHS
from danlu.base.starting import begin_of_call
from danlu.run.building import refuse_other_structure
from danlu.run.compiling import with_compiler
from danlu.run.engines import engine_of_run
from danlu.run.environment import compared_with_before, environment
from danlu.run.fine_tuning import refuse_as_beginning
from danlu.run.own.metric import MetricLike
from danlu.run.own.metrics import try_metrics
from danlu.run.own.nets import telling_where_net_was
from danlu.run.own.parts import own_parts, refuse_missing
from danlu.run.own.training import own_training, refuse_others, set_in
from danlu.run.run_record import RunRecord
from danlu.run.settings.draft import CUSTOM, source_of
from danlu.run.settings.usual import as_it_began
from danlu.run.setup import Setup, set_up
from danlu.run.trained_data import load_trained, telling_where
from danlu.run.training import carry_out, folder_asked, new_run, opening_record, wired
from danlu.store.records import ParentRun
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder
from danlu.store.taken_over import taken_over
from danlu.train.checkpoint import Checkpoint, load_newest
from danlu.train.schedules import LENGTHWISE, OWN_SCHEDULE, registered_schedule
from danlu.view.info.run import flat
from danlu.view.reporter import Reporter

EXTENDED, RESTARTED = "extended", "restarted"
"""What becomes of a schedule: it is stretched over all epochs, or runs once more over the new ones."""

_MAY_CHANGE = ("train.patience", "optim.lr", "track.to", "track.project", "track.every")


def more_epochs(word: object) -> int:
    """How many epochs "+20" adds. UserError for what is no such word.

    >>> more_epochs("+20")
    20
    """
    found = re.fullmatch(r"\+\s*(\d+)", word.strip()) if isinstance(word, str) else None
    count = int(found.group(1)[:10]) if found else 0
    if not 1 <= count <= MOST_EPOCHS:
        number = str(word).strip().lstrip("+")
        fail("further.epochs", found=word, wanted=f"+{number}" if number.isdecimal() and int(number) else "+20")
    return count


@memory_guard("fit")
def go_on(
    parent: RunRecord,
    epochs: object,
    *,
    net: nn.Module | None = None,
    data: object = None,
    schedule: object = None,
    folder: str | Path | None = None,
    name: str | None = None,
    listeners: Sequence[Listener] | None = None,
    metrics: Mapping[str, MetricLike] | None = None,
    loss: object = None,
    optimizer: object = None,
    notify: str | None = None,
    progress: bool = True,
    settings: Mapping[str, Any] | None = None,
    words: Iterable[str] = (),
) -> tuple[Path, Setup]:
    """Train `parent`, which has ended, for `epochs` ("+20") more: the folder of the new run, and what was trained.

    `net` becomes the trained one; it, `data`, `loss` and `optimizer` are needed where they were given as objects. See
    `Run.fit` for the rest. UserError, with nothing written, where the parent cannot be gone on from.
    """
    begin, more = begin_of_call(), more_epochs(epochs)
    where, place = folder_asked(folder, name), RunFolder(parent.folder)
    refuse_as_beginning(parent)
    done = int((checkpoint := _last_checkpoint(parent)).state["progress"]["epoch"])
    recipe, notes, root = _recipe(parent, done, more, schedule, settings or {}, words)
    own = own_parts(listeners, metrics, notify, recipe)
    _refuse_objects(parent, recipe, net, data)
    with telling_where("further.data-moved", folder=shown(place.path), more=more):
        dataset = load_trained(place, recipe, data, root)
    code = own_training(loss=loss, optimizer=optimizer)
    refuse_others(read_environment(place.environment), code, place)
    with telling_where_net_was(recipe, place):
        setup = set_in(set_up(_where_data_lie(recipe, data, root), dataset, net), code)
    train = replace(setup.recipe.train, limit_predictions=parent.recipe.train.limit_predictions)  # as it stood there
    setup = replace(setup, recipe=replace(setup.recipe, train=train))
    before = compared_with_before(place, setup, reporter := Reporter(progress))
    refuse_missing((before or {}).get("metrics", ()), own, place.path)
    try_metrics(setup, own.metrics)
    refuse_other_structure(setup.net, checkpoint.parts["weights"], place.path)
    engine = engine_of_run(setup, before, checkpoint, place.path)
    setup, compiled = with_compiler(setup, engine, bool(before and before.get("compiled")))
    notes += compiled
    weights = checkpoint.hashes["weights"]
    told = ParentRun(name=place.path.name, folder=str(place.path), weights=weights, epoch=done, further=True)
    facts = environment(setup, weights_given=True, engine=engine, metrics=tuple(own.metrics), parent=told)
    with new_run(where, setup, facts) as new:
        new.begin_with(taken_over(place.journal, opening_record(setup, told), checkpoint.step))
        training = wired(setup, new.place, new.journal, begin, engine, own, told, notes)
        training.checkpointer.load(checkpoint)
        training.progress.wait_anew()
        training.checkpointer.save_first()
        new.establish()
        carry_out(training, reporter)
    return new.place.path, setup


def _last_checkpoint(parent: RunRecord) -> Checkpoint:
    """The state in which a run ended; UserError where it is damaged or gone: an older one was never scored."""
    newest = load_newest(RunFolder(parent.folder).checkpoints)
    folder = shown(parent.folder)
    if newest.skipped:
        fail("further.damaged", what=newest.skipped[0].values["what"], folder=folder)
    if newest.checkpoint is None or newest.checkpoint.step < parent.steps:
        fail("further.last-state-gone", folder=folder, step=f"{parent.steps:,}")
    return newest.checkpoint


def _recipe(
    parent: RunRecord, done: int, more: int, schedule: object, settings: Mapping[str, Any], words: Iterable[str]
) -> tuple[Recipe, list[Fault], str | None]:
    """The new run's recipe, what is said of it, and the root of its data where one is given.

    UserError for a setting that cannot change on the way.
    """
    draft, before, folder = RecipeDraft(), as_it_began(parent.recipe), shown(parent.folder)
    draft.read_keywords(settings)
    draft.read_words(words)
    root = draft.values.pop("data.root", None)
    if "train.epochs" in draft.values:
        fail("further.epochs-twice", found=draft.values["train.epochs"], more=more)
    told = draft.recipe().track
    said, kept = flat(draft.recipe().as_dict()), flat(before.as_dict())
    changed = {key: said.get(key) for key in draft.values if said.get(key) != kept.get(key)}
    other = [key for key in changed if key not in _MAY_CHANGE and not key.startswith("schedule.")]
    if other:
        fail("further.other-settings", keys=", ".join(other), folder=folder)
    total = done + more
    if total > MOST_EPOCHS:
        fail("further.too-many", total=total, most=MOST_EPOCHS)
    train = replace(before.train, epochs=total, patience=changed.get("train.patience", before.train.patience))
    if "train.patience" in changed and "train.weights" in before.chosen:
        train = replace(train, weights=None)  # which are scored was danlu's choice, and patience makes another
    optim = replace(before.optim, lr=changed.get("optim.lr", before.optim.lr))
    names = {key.partition(".")[2]: value for key, value in changed.items() if key.startswith("schedule.")}
    track = replace(before.track, **{key: getattr(told, key) for key in asdict(told) if f"track.{key}" in changed})
    rates = replace(before.schedule, **names)
    rates = replace(rates, name=registered_schedule(rates.name), restarts=tuple(rates.restarts or ()) or None)
    way = _way(schedule, rates.name)
    if way == RESTARTED and rates.name != "constant":
        rates = replace(rates, restarts=(*(rates.restarts or ()), done))
    notes = [Fault("further.goes-on", {"folder": folder, "epoch": done, "epochs": total})]
    if rates.name in LENGTHWISE:
        notes.append(Fault(f"further.schedule-{way}", {"schedule": rates.name, "more": more, "epochs": total}))
    chosen = before.chosen - {"train.epochs", *changed}
    return replace(before, train=train, optim=optim, schedule=rates, track=track, chosen=chosen), notes, root


def _way(asked: object, schedule: str) -> str:
    """Whether the schedule is extended or restarted; one that depends on the length has come to its end: restarted."""
    if asked is None:
        return RESTARTED if schedule in LENGTHWISE else EXTENDED
    if asked not in (EXTENDED, RESTARTED):
        fail("further.schedule", found=asked)
    return str(asked)


def _refuse_objects(parent: RunRecord, recipe: Recipe, net: nn.Module | None, data: object) -> None:
    if (several := launched()) is not None and several.world > 1:
        fail("processes.further", processes=several.world)
    folder = shown(parent.folder)
    if recipe.schedule.name == OWN_SCHEDULE:
        fail("further.own-schedule", folder=folder)
    if recipe.net.name == CUSTOM and net is None:
        fail("further.needs-net", folder=folder, name=recipe.net.options.get("class", CUSTOM))
    if recipe.data.name == CUSTOM and data is None:
        fail("further.needs-data", folder=folder)


def _where_data_lie(recipe: Recipe, data: object, root: str | None) -> Recipe:
    """The recipe with the place of the data by now."""
    moved: dict[str, Any] = {} if root is None else {"root": root}
    if isinstance(data, str | Path):
        moved |= {"name": None, "path": None, **source_of(data)}
    return replace(recipe, data=replace(recipe.data, **moved))
