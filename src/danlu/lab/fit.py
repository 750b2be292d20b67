"""fit and resume: one training, wired together and carried out."""

import copy
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, StorageError, fail
from danlu.base.events import Stop
from danlu.base.places import runs_folder
from danlu.base.recipe import LossRecipe, Recipe
from danlu.base.recipe_text import read_recipe, to_toml
from danlu.base.records import Score
from danlu.base.seeds import exact_kernels, preserved_randomness
from danlu.lab.draft import CUSTOM, draft_recipe
from danlu.lab.environment import differences, environment
from danlu.lab.interrupt import Interrupt, Interrupted
from danlu.lab.keeper import Keeper
from danlu.lab.run import Run
from danlu.lab.scribe import Scribe
from danlu.lab.setup import Setup, load_given_weights, set_up
from danlu.store.journal import Journal
from danlu.store.run_folder import RunFolder, check_name
from danlu.train.checkpoint import Checkpoint, load_newest
from danlu.train.evaluate import evaluate
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.metrics import Metrics
from danlu.train.optimisers import build_optimiser
from danlu.train.progress import Progress
from danlu.train.schedules import Schedule
from danlu.train.step import Batch, ClosureStep, PlainStep
from danlu.view.reporter import Reporter


def fit(
    net: object = None,
    data: object = None,
    *,
    recipe: Recipe | str | Path | None = None,
    folder: str | Path | None = None,
    name: str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Run:
    """Train `net` on `data`; with nothing given, LeNet-5 on the digits inside scikit-learn.

    `net` is a name or any nn.Module (trained in place); `data` a Dataset, a catalogue name, a table's path, (x, y)
    arrays, or a torch Dataset or DataLoader. `recipe` is a Recipe or a TOML file; `settings` are its keys, flat where
    the name is unambiguous: lr, epochs, batch_size, momentum, seed, clip_norm … `folder` is where the run will lie
    (absent or empty); else it gets a name of its own, or `name`, in `runs/`. Raises UserError for a mistake in any of
    these, before the first step; StorageError where the disk refuses later; Interrupted (a KeyboardInterrupt) after
    Ctrl-C.

    >>> import tempfile
    >>> run = fit("softmax-regression", "digits", epochs=2, folder=tempfile.mkdtemp(), progress=False)
    >>> run.score["test"]["accuracy"] > 0.8
    True
    """
    drafted = draft_recipe(net, data, recipe, settings)
    if folder is not None and name is not None:
        fail("lab.folder-and-name", folder=folder, name=name)
    if name is not None:
        check_name(name)
    given = None if isinstance(data, str | Path) else data
    module = net if isinstance(net, nn.Module) else None
    setup = set_up(drafted, given, module)
    reporter = Reporter(progress)
    for note in load_given_weights(setup):
        reporter.note(note)
    facts = environment(setup)
    text = to_toml(setup.recipe)
    if folder is not None:
        place = RunFolder.create_at(Path(folder), text, facts)
    elif name is not None:
        place = RunFolder.create_at(runs_folder() / name, text, facts)
    else:
        place = RunFolder.create(runs_folder(), _stem(setup.recipe, setup.data.name), text, facts)
    initial = module is not None or not _rebuildable(setup.recipe)
    return _carry_out(setup, place, None, reporter, keep_initial=initial)


def resume(folder: str | Path, *, net: nn.Module | None = None, data: object = None, progress: bool = True) -> Run:
    """Go on with a run exactly where its newest whole checkpoint stands; a finished run is returned as it is.

    `net` and `data` are needed where they were given to `fit` as objects that a recipe cannot bring back. The end state
    is bit-identical to that of a run never interrupted, on the same machine, torch build and thread count.
    """
    place = RunFolder.open(Path(folder))
    run = Run(place.path, net=net)
    if run.finished:
        return run
    reporter = Reporter(progress)
    setup = set_up(read_recipe(place.recipe), data, net)
    before = json.loads(place.environment.read_text(encoding="utf-8"))
    facts = environment(setup)
    if before["data"]["fingerprint"] != facts["data"]["fingerprint"]:
        fail("lab.data-changed", folder=place.path, name=setup.data.name)
    changed = differences(before, facts)
    if changed:
        reporter.note(Fault("lab.other-machine", {"changes": ", ".join(changed)}))
    newest = load_newest(place.checkpoints)
    for fault in newest.skipped:
        reporter.note(fault)
    begins = newest.checkpoint is None
    if begins:
        load_given_weights(setup)
    return _carry_out(setup, place, newest.checkpoint, reporter, keep_initial=begins and not _rebuildable(setup.recipe))


def make_step(setup: Setup) -> PlainStep:
    """The step of a setup: its net with loss, optimiser and schedule."""
    recipe = setup.recipe
    kind = ClosureStep if recipe.optim.name == "lbfgs" else PlainStep
    loss = build_loss(recipe.loss.name, recipe.loss)
    optimizer = build_optimiser(recipe.optim, setup.net, scaled=recipe.train.precision == "float16")
    schedule = Schedule(recipe.schedule, setup.horizon)
    return kind(setup.net, loss, optimizer, schedule, recipe, setup.device)


def score_part(setup: Setup, net: nn.Module, part: str, interrupt: Interrupt) -> Score | Stop | None:
    """The score of `net` on a part of the data; None where that part is empty."""
    if not setup.data.sizes[part]:
        return None
    batch_size = max(setup.recipe.train.batch_size or 0, 256)
    batches = setup.data.batches(part, batch_size, device=setup.device, dtype=setup.dtype)
    loss = build_loss(setup.recipe.loss.name, LossRecipe(delta=setup.recipe.loss.delta))
    scale = setup.data.target_scale if setup.data.task == "regression" else None
    metrics = Metrics(setup.data.task, setup.data.outputs, scale)
    return evaluate(net, batches, loss, metrics, lambda: interrupt.asked)


def _carry_out(
    setup: Setup, place: RunFolder, checkpoint: Checkpoint | None, reporter: Reporter, *, keep_initial: bool
) -> Run:
    try:
        return _trained(setup, place, checkpoint, reporter, keep_initial=keep_initial)
    except StorageError as error:
        faults = [Fault("lab.stopped-by-disk", {"what": fault, "folder": place.path}) for fault in error.faults]
        raise StorageError(*faults) from error


def _trained(
    setup: Setup, place: RunFolder, checkpoint: Checkpoint | None, reporter: Reporter, *, keep_initial: bool
) -> Run:
    recipe, data = setup.recipe, setup.data
    step = make_step(setup)
    progress = Progress(
        epochs=setup.horizon.epochs,
        steps_per_epoch=setup.horizon.steps_per_epoch,
        patience=recipe.train.patience,
        loss_is_sum=recipe.loss.reduction == "sum",
    )

    def batches(epoch: int, start: int) -> Iterable[Batch]:
        size = (recipe.train.batch_size or 0) * recipe.train.accumulate
        seed, shuffle = recipe.train.seed, recipe.data.shuffle
        return data.batches(
            "train", size, seed=seed, epoch=epoch, start=start, shuffle=shuffle, device=setup.device, dtype=setup.dtype
        )

    resumed = place.journal.stat().st_size > 0
    interruptible = Interrupt(str(place.path))
    with (
        Journal(place.journal) as journal,
        interruptible as interrupt,
        preserved_randomness(),
        exact_kernels(setup.device),
        reporter,
    ):
        reporter.opening(place.path, recipe, data.name, data.sizes, setup.description.parameters, data.notes)
        scribe = Scribe(journal)
        keeper = Keeper(place.checkpoints, step, progress, scribe, recipe.train)
        if checkpoint:
            keeper.load(checkpoint)
        scribe.write(_opening_record(setup, progress, resumed=resumed))
        if keep_initial:
            keeper.save()
        listeners = [scribe, keeper, reporter, interrupt]
        stop = train(
            step, batches, lambda: score_part(setup, step.scored_net, "validation", interrupt), progress, listeners
        )
        keeper.save()
        chosen, validation = _chosen(setup, step, progress, keeper)
        test = stop if stop and stop.reason == "interrupted" else score_part(setup, chosen, "test", interrupt)
        if isinstance(test, Stop):
            scribe.write({"kind": "stop", "step": progress.step, "reason": "interrupted"})
            raise Interrupted(str(place.path), saved=True)
        scores = {"train": progress.train_score, "validation": validation, "test": test}
        scribe.write(
            {
                "kind": "end",
                "step": progress.step,
                "epochs": progress.epoch,
                "seconds": round(keeper.seconds, 3),
                "reason": stop.reason if stop else "finished",
                "score": {part: score for part, score in scores.items() if score},
            }
        )
    return Run(place.path, net=setup.net, data=setup.data)


def _chosen(setup: Setup, step: PlainStep, progress: Progress, keeper: Keeper) -> tuple[nn.Module, Score | None]:
    """The net that is scored, with its validation score: the last weights, or the best ones."""
    wanted = setup.recipe.train.weights or ("best" if setup.recipe.train.patience else "last")
    if wanted == "last" or not keeper.best:
        return step.scored_net, progress.validation_score
    net = copy.deepcopy(step.scored_net)
    net.load_state_dict(keeper.best)
    return net, progress.best_score


def _rebuildable(recipe: Recipe) -> bool:
    """Whether the recipe alone brings the initial weights back."""
    return recipe.net.name != CUSTOM and recipe.net.weights is None


def _opening_record(setup: Setup, progress: Progress, *, resumed: bool) -> dict[str, Any]:
    if resumed:
        return {"kind": "resume", "step": progress.step}
    return {
        "kind": "start",
        "epochs": progress.epochs,
        "steps_per_epoch": progress.steps_per_epoch,
        "fingerprint": setup.recipe.fingerprint(),
    }


def _stem(recipe: Recipe, data: str) -> str:
    net = str(recipe.net.options.get("class", recipe.net.name))
    return re.sub(r"[^\w]+", "-", f"{net}-{data}").lower().strip("-")[:60]
