"""fit and resume: one training, wired together and carried out."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, FolderGoneError, StorageError, UserError, fail
from danlu.base.events import Listener, Stop
from danlu.base.memory import memory_guard
from danlu.base.places import runs_folder, shown
from danlu.base.recipe_text import read_recipe, to_toml
from danlu.base.records import Score
from danlu.base.seeds import exact_kernels, global_seed, hardware, preserved_randomness
from danlu.base.starting import begin_of_call
from danlu.lab.batches import training_batches
from danlu.lab.checkpointer import Checkpointer
from danlu.lab.draft import RecipeSource, draft_recipe, net_and_data
from danlu.lab.engines import build_engine, choose_engine, engine_of_run
from danlu.lab.environment import differences, environment
from danlu.lab.interrupt import Interrupt, Interrupted
from danlu.lab.journal_writer import JournalWriter
from danlu.lab.own_metrics import OwnMetrics, try_metrics
from danlu.lab.own_parts import MetricLike, OwnParts, own_parts, refuse_missing
from danlu.lab.package import complete_package, load_trained, package_bytes
from danlu.lab.pictures import drawn_net, write_run_report
from danlu.lab.prediction_collector import CollectingMetrics, PredictionCollector
from danlu.lab.run import Run
from danlu.lab.setup import Setup, build_net, load_given_weights, refuse_other_structure, set_up
from danlu.lab.text_samples import TextSampler
from danlu.lab.usual import as_it_began
from danlu.lab.watching import Watching
from danlu.store.journal import Journal
from danlu.store.new_run import NewRun
from danlu.store.records import VERSION, Record, RunEnded, RunResumed, RunStarted, RunStopped
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder, check_name, folder_stem
from danlu.store.run_history import RunHistory
from danlu.store.turns import take_turn
from danlu.train.carried import Carried
from danlu.train.checkpoint import load_newest
from danlu.train.engine import Batch, Engine
from danlu.train.evaluate import evaluate
from danlu.train.loop import train
from danlu.train.losses import build_loss, scoring
from danlu.train.metrics import Metrics
from danlu.train.progress import Progress
from danlu.view.reporter import Reporter

_NOT_FOUND = ("data.missing-file", "data.no-root", "data.unavailable")


@memory_guard("fit")
def fit(
    net: object = None,
    data: object = None,
    *,
    recipe: RecipeSource = None,
    folder: str | Path | None = None,
    name: str | None = None,
    progress: bool = True,
    watch: bool | None = None,
    listeners: Sequence[Listener] | None = None,
    metrics: Mapping[str, MetricLike] | None = None,
    **settings: Any,
) -> Run:
    """Train `net` on `data`; with nothing given, LeNet-5 on the digits inside scikit-learn.

    `net` is a name or any nn.Module (trained in place: it ends with the weights that are scored); left out, it is the
    one that the data call for. `data` is a Dataset, a catalogue name, a table's path, (x, y) arrays, or a torch Dataset
    or DataLoader. `recipe` is a Recipe, a TOML file or the same as nested dicts; `settings` are its keys, flat where
    the name is unambiguous (lr, epochs, batch_size, momentum, seed, clip_norm …), or a section as a dict:
    optim={"name": "adam", "lr": 0.001}. `folder` is where the run will lie (absent or empty); else it gets a name of
    its own, or `name`, in `runs/`. The training is watched for mistakes (`run.findings`) unless `watch` is False, or
    the recipe's watch.on. `listeners` are called with every
    event of the training (`danlu.TrainingStarted`, `StepDone`, `EpochDone`), and end it by answering with
    `danlu.Stop("why")`. `metrics` score the validation and the test part beside danlu's own, by name: functions of
    (outputs, targets), or a torchmetrics.Metric. Raises UserError for a mistake in any of these, before the first step;
    StorageError where the disk refuses later; Interrupted (a KeyboardInterrupt) after Ctrl-C.

    >>> import tempfile
    >>> run = fit("softmax-regression", "digits", epochs=2, folder=tempfile.mkdtemp(), progress=False)
    >>> run.score["test"]["accuracy"] > 0.8
    True
    """
    begin = begin_of_call()
    net, data = net_and_data(net, data)
    drafted = draft_recipe(net, data, recipe, settings if watch is None else {**settings, "watch.on": watch})
    if folder is not None and name is not None:
        fail("lab.folder-and-name", folder=folder, name=name)
    if name is not None:
        check_name(name)
    given = None if isinstance(data, str | Path) else data
    module = net if isinstance(net, nn.Module) else None
    own = own_parts(listeners, metrics)
    setup = set_up(drafted, given, module)
    try_metrics(setup, own.metrics)
    reporter = Reporter(progress)
    for note in load_given_weights(setup.net, setup.recipe.net.weights):
        reporter.note(note)
    weights_given = module is not None or setup.recipe.net.weights is not None
    engine = choose_engine(setup)
    facts = environment(setup, weights_given=weights_given, engine=engine, metrics=tuple(own.metrics))
    if name is not None:
        folder = runs_folder() / name
    with _new_run(folder, setup, facts) as new:
        training = _wired(setup, new.place, new.journal, begin, engine, own)
        if weights_given:  # nothing else brings them back, so no run may stand without them
            training.checkpointer.save_first()
        new.establish()
        return _carry_out(training, reporter)


def _new_run(folder: str | Path | None, setup: Setup, facts: dict[str, Any]) -> NewRun:
    """The run's folder in the making: where it is asked for, or under a name of its own."""
    text, package = to_toml(setup.recipe), package_bytes(setup.data)
    if folder is not None:
        return NewRun.at(Path(folder), text, facts, package)
    stem = folder_stem(str(setup.recipe.net.options.get("class", setup.recipe.net.name)), setup.data.name)
    return NewRun.named(runs_folder(), stem, text, facts, package)


@memory_guard("fit")
def resume(
    folder: str | Path,
    *,
    net: nn.Module | None = None,
    data: object = None,
    root: str | Path | None = None,
    listeners: Sequence[Listener] | None = None,
    metrics: Mapping[str, MetricLike] | None = None,
    progress: bool = True,
) -> Run:
    """Go on with a run exactly where its newest whole checkpoint stands; a finished run is returned as it is.

    `net`, `data` and `metrics` are needed where they were given to `fit` as objects that a recipe cannot bring back,
    and `listeners` hear of what is left where they are given again; where data have been moved, `data` is their path
    now, or `root` the folder to look for a catalogue's in. The end state is bit-identical to that of a run never
    interrupted, on the same machine, torch build and thread count.
    """
    begin, own = begin_of_call(), own_parts(listeners, metrics)
    place = RunFolder.open(Path(folder))
    run = Run(place.path, net=net, data=data)
    if run.finished:
        return run
    with Journal(place.journal) as journal:
        take_turn(place.recipe)
        recipe = as_it_began(read_recipe(place.recipe))
        try:
            dataset = load_trained(place, recipe, data, root)
        except UserError as error:
            if error.faults[0].id in _NOT_FOUND:
                fail("lab.data-moved", what=error.faults[0], folder=shown(place.path))
            raise
        setup = set_up(recipe, dataset, net)
        return _gone_on(RunFolder(run.folder), journal, setup, net, Reporter(progress), begin, own)


def _gone_on(
    place: RunFolder,
    journal: Journal,
    setup: Setup,
    net: nn.Module | None,
    reporter: Reporter,
    begin: float,
    own: OwnParts,
) -> Run:
    before = _compare_environments(place, setup, reporter)
    refuse_missing((before or {}).get("metrics", ()), own, place.path)
    try_metrics(setup, own.metrics)
    newest = load_newest(place.checkpoints)
    for fault in newest.skipped:
        reporter.note(fault)
    if newest.checkpoint:
        refuse_other_structure(setup.net, newest.checkpoint.parts["weights"], place.path)
    engine = engine_of_run(setup, before, newest.checkpoint, place.path)
    training = _wired(setup, place, journal, begin, engine, own)
    if newest.checkpoint:
        training.checkpointer.load(newest.checkpoint)
    elif before is None or before["weights_given"]:  # for all that can be known
        fail("lab.first-weights-lost", folder=shown(place.path))
    else:
        reporter.note(Fault("lab.from-the-start", {"folder": shown(place.path)}))
        if net is not None:
            first = build_net(setup.recipe, setup.data).state_dict()
            refuse_other_structure(net, first, place.path)
            net.load_state_dict(first)
    return _carry_out(training, reporter)


def _compare_environments(place: RunFolder, setup: Setup, reporter: Reporter) -> dict[str, Any] | None:
    """Tell what is not as it was when the run began; what was kept of that."""
    before = read_environment(place.environment)
    if before is None:
        reporter.note(Fault("lab.no-environment", {"path": shown(place.environment)}))
        return None
    changed = differences(before, hardware(setup.device))
    if changed:
        reporter.note(Fault("lab.other-machine", {"changes": ", ".join(changed)}))
    return before


def score_part(
    setup: Setup,
    net: nn.Module,
    part: str,
    epoch: int,
    interrupt: Interrupt,
    collector: PredictionCollector | None = None,
    own: Mapping[str, MetricLike] | None = None,
) -> Score | Stop | None:
    """The score of `net` on a part of the data after `epoch` epochs; None where that part is empty. `collector` hears
    what it said, and `own` are metrics of the user's.

    A net that draws random numbers also in evaluation draws the same ones again after a resume.
    """
    if not setup.data.sizes[part]:
        return None
    batch_size = setup.recipe.train.batch_size or 0
    # A text is read in as many rows as in training: in more, each would be too short for a memory to help.
    batch_size = batch_size if setup.data.task == "language" else max(batch_size, 256)
    forward = Carried(net, keeps=setup.data.continues)
    batches = setup.data.batches(part, batch_size, device=setup.device, dtype=setup.dtype)
    loss = build_loss(setup.recipe.loss.name, scoring(setup.recipe.loss))
    scale = setup.data.target_scale if setup.data.task == "regression" else None
    metrics = Metrics(setup.data.task, setup.data.outputs, scale, setup.data.bounds, setup.data.rare_class)
    if collector and collector.wanted:
        metrics = CollectingMetrics(collector, setup.data, scale)
        batches = collector.seen(batches)
    scorer = OwnMetrics(metrics, own, setup.data) if own else metrics
    with global_seed(setup.recipe.train.seed, "score", part, epoch):
        return evaluate(net, batches, loss, scorer, lambda: interrupt.asked, forward)


@dataclass(frozen=True)
class _Training:
    """The parts of one training, wired together, before its first event."""

    setup: Setup
    place: RunFolder
    engine: Engine
    progress: Progress
    journal: JournalWriter
    checkpointer: Checkpointer
    resumed: bool
    loading: float  # seconds from the call to here
    own: OwnParts

    @property
    def recorders(self) -> list[Listener]:
        """What writes before a checkpoint does, so that whoever goes on from that finds all of its epoch."""
        if self.setup.data.task != "language":
            return [self.journal]
        return [self.journal, TextSampler(self.setup, self.engine.scored_net, self.progress, self.journal)]


def _wired(
    setup: Setup, place: RunFolder, journal: Journal, begin: float, engine_name: str, own: OwnParts
) -> _Training:
    recipe = setup.recipe
    engine = build_engine(setup, engine_name)
    progress = Progress(
        epochs=setup.horizon.epochs,
        steps_per_epoch=setup.horizon.steps_per_epoch,
        patience=recipe.train.patience,
        loss_is_sum=recipe.loss.reduction == "sum",
    )
    writer = JournalWriter(journal)
    checkpointer = Checkpointer(place.checkpoints, engine, progress, writer, recipe.train)
    resumed, loading = place.journal.stat().st_size > 0, checkpointer.started_at - begin
    return _Training(setup, place, engine, progress, writer, checkpointer, resumed, round(loading, 3), own)


def _carry_out(training: _Training, reporter: Reporter) -> Run:
    batch, parameters = training.setup.recipe.train.batch_size, f"{training.setup.description.parameters:,}"
    try:
        with memory_guard("training", training.place.path, batch=batch, parameters=parameters):
            return _trained(training, reporter)
    except FolderGoneError:
        raise
    except StorageError as error:
        folder = shown(training.place.path)
        faults = [Fault("lab.stopped-by-disk", {"what": fault, "folder": folder}) for fault in error.faults]
        raise StorageError(*faults) from error


def _trained(training: _Training, reporter: Reporter) -> Run:
    setup, place, engine, progress = training.setup, training.place, training.engine, training.progress
    journal, checkpointer = training.journal, training.checkpointer
    recipe, data, own = setup.recipe, setup.data, training.own

    def batches(epoch: int, start: int) -> Iterable[Batch]:
        return training_batches(recipe, data, epoch, start, setup.device, setup.dtype)

    def validation_score() -> Score | Stop | None:
        return score_part(setup, engine.scored_net, "validation", progress.epoch, interrupt, own=own.metrics)

    interruptible = Interrupt(str(place.path))
    with interruptible as interrupt, preserved_randomness(), exact_kernels(setup.device), engine, reporter:
        reporter.opening(shown(place.path), recipe, data.name, data.sizes, setup.description.parameters, data.notes)
        journal.write(_opening_record(training))
        if not training.resumed and (drawn := drawn_net(setup)):
            journal.write(drawn)
        listeners = [*training.recorders, checkpointer, reporter, interrupt, *own.listeners]
        history = RunHistory.read(place.journal) if training.resumed else RunHistory()
        with Watching(recipe, engine, journal, reporter.finding, history):
            stop = train(engine, batches, validation_score, progress, listeners)
        checkpointer.save()
        if stop and stop.reason == "early":
            reporter.stopped_early(progress.epoch, recipe.train.patience or 0)
        if stop and stop.reason == "asked":
            reporter.note(Fault("lab.stopped-by-listener", {"step": progress.step, "why": stop.why}))
        chosen, scores = _chosen(setup, engine, progress, checkpointer)
        test, collector = stop, None
        if not stop or stop.reason != "interrupted":
            collector = PredictionCollector(setup.data, "test")
            test = score_part(setup, chosen, "test", progress.epoch, interrupt, collector, own.metrics)
        if isinstance(test, Stop):
            journal.write(RunStopped(step=progress.step, reason="interrupted"))
            write_run_report(place)
            raise Interrupted(str(place.path), saved=True)
        if chosen is not setup.net:  # a net of the user's is trained in place: it holds what was scored
            setup.net.load_state_dict(chosen.state_dict())
        scores["test"] = test
        score = {part: score for part, score in scores.items() if score}
        if collector and (told := collector.record()):
            journal.write(told)
        # Before the end is told: a run that has ended has its package whole.
        complete_package(place, recipe, data, setup.net, score, setup.description.output_shape)
        journal.sync()
        journal.write(
            RunEnded(
                step=progress.step,
                epochs=progress.epoch,
                seconds=round(checkpointer.seconds, 3),
                reason=stop.reason if stop else "finished",
                diverged=progress.diverged_at(score),
                score=score,
            )
        )
        journal.sync()  # whatever names this run as trained must not outlive its end
        if fault := write_run_report(place):
            reporter.note(fault)
    return Run(place.path, net=setup.net, data=setup.data)


def _chosen(
    setup: Setup, engine: Engine, progress: Progress, checkpointer: Checkpointer
) -> tuple[nn.Module, dict[str, Score | None]]:
    """The net that is scored, the last or the best, with the scores of its epoch."""
    if not setup.recipe.train.scores_best or not checkpointer.best:
        return engine.scored_net, {"train": progress.train_score, "validation": progress.validation_score}
    net = copy.deepcopy(engine.scored_net)
    net.load_state_dict(checkpointer.best)
    return net, {"train": progress.best_train_score, "validation": progress.best_score}


def _opening_record(training: _Training) -> Record:
    progress = training.progress
    if training.resumed:
        return RunResumed(step=progress.step, loading=training.loading)
    return RunStarted(
        epochs=progress.epochs,
        steps_per_epoch=progress.steps_per_epoch,
        fingerprint=training.setup.recipe.fingerprint(),
        loading=training.loading,
        version=VERSION,
    )
