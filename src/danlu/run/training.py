"""One training, wired together and carried out in its folder: what fit, resume and going on have in common."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, FolderGoneError, StorageError, fail
from danlu.base.events import Listener, Stop
from danlu.base.memory import memory_guard
from danlu.base.places import runs_folder, shown
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import to_toml
from danlu.base.records import Score
from danlu.base.seeds import exact_kernels, global_seed, preserved_randomness
from danlu.data.targets import measured_by
from danlu.run.agreement import agreed, scored_by_first, share_state, share_weights
from danlu.run.batches import training_batches
from danlu.run.engines import build_engine
from danlu.run.fitting_memory import PortionCourse
from danlu.run.interrupt import Interrupt, Interrupted
from danlu.run.listeners.checkpointer import Checkpointer
from danlu.run.listeners.forecasts import ForecastCollector, below_naive, collector_of
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.run.listeners.label_thresholds import with_thresholds
from danlu.run.listeners.moments import MomentTaker
from danlu.run.listeners.notices import notices_of_run
from danlu.run.listeners.prediction_collector import CollectingMetrics, Collector, PredictionCollector
from danlu.run.listeners.process_course import ProcessCourse
from danlu.run.listeners.stopwatch import Stopwatch
from danlu.run.listeners.text_samples import TextSampler
from danlu.run.listeners.tracking import tracked_run
from danlu.run.listeners.watching import Watching
from danlu.run.own.metric import MetricLike
from danlu.run.own.metrics import OwnMetrics
from danlu.run.own.nets import keep_copy
from danlu.run.own.parts import OwnParts
from danlu.run.package_writer import complete_package, package_bytes
from danlu.run.pictures import drawn_net, write_run_pictures, write_run_report
from danlu.run.setup import Setup
from danlu.run.sharded_saving import AskedOfAny, asked_of, save_last, saver_of, scored_in
from danlu.run.translators import translator_of
from danlu.store.journal import Journal
from danlu.store.new_run import NewRun
from danlu.store.records import VERSION, ParentRun, RunEnded, RunResumed, RunStarted, RunStopped
from danlu.store.run_folder import RunFolder, check_name, folder_stem
from danlu.store.run_history import RunHistory
from danlu.train.carried import Carried
from danlu.train.distributed.group import tell
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.engine import Batch, Engine
from danlu.train.evaluate import evaluate
from danlu.train.in_portions import InPortions
from danlu.train.loop import train
from danlu.train.losses import build_loss, scoring
from danlu.train.metrics import Metrics
from danlu.train.progress import Progress, progress_of
from danlu.view.reporter import Reporter


def folder_asked(folder: str | Path | None, name: str | None) -> Path | None:
    """Where a new run is to lie: the `folder` given, or `name` in runs/; None leaves it to `new_run`.

    UserError where both are given, or the name is none for a folder.
    """
    if folder is not None and name is not None:
        fail("lab.folder-and-name", folder=folder, name=name)
    if name is not None:
        check_name(name)
        return runs_folder() / name
    return None if folder is None else Path(folder)


def new_run(folder: Path | None, setup: Setup, facts: dict[str, Any]) -> NewRun:
    """The run's folder in the making: where it is asked for, or under a name of its own."""
    text, package = to_toml(setup.recipe), package_bytes(setup.data)
    if folder is not None:
        return NewRun.at(folder, text, facts, package)
    stem = folder_stem(setup.recipe.net.label, setup.data.name)
    return NewRun.named(runs_folder(), stem, text, facts, package)


def score_part(
    setup: Setup,
    net: nn.Module,
    part: str,
    epoch: int,
    interrupt: Interrupt | AskedOfAny,
    collector: Collector | None = None,
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
    batch_size = batch_size if setup.data.task in ("language", "segmentation") else max(batch_size, 256)
    forward = Carried(net, keeps=setup.data.continues)
    forward = forward if setup.data.task == "language" else InPortions(forward)
    batches = setup.data.batches(part, batch_size, device=setup.device, dtype=setup.dtype)
    loss = setup.own_loss or build_loss(setup.recipe.loss.name, scoring(setup.recipe.loss))
    measured = measured_by(setup.data.target, each=collector is not None and collector.each)
    metrics = Metrics(**measured, rare=setup.data.rare_class)
    if collector and collector.wanted:
        metrics = CollectingMetrics(collector, measured, setup.data.rare_class)
        batches = collector.seen(batches)
    scorer = OwnMetrics(metrics, own, setup.data) if own else metrics
    with global_seed(setup.recipe.train.seed, "score", part, epoch):
        return evaluate(
            net, batches, loss, scorer, lambda: interrupt.asked, forward, translator_of(net, setup.data.task)
        )


@dataclass(frozen=True)
class WiredTraining:
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
    parent: ParentRun | None  # the run that this one began from
    notes: Sequence[Fault]  # what is said at the opening, besides what the data say

    @property
    def recorders(self) -> list[Listener]:
        """What writes before a checkpoint does, so that whoever goes on from that finds all of its epoch."""
        if self.setup.data.task != "language":
            return [self.journal]
        return [self.journal, TextSampler(self.setup, self.engine.scored_net, self.progress, self.journal)]


def wired(
    setup: Setup,
    place: RunFolder,
    journal: Journal,
    begin: float,
    engine_name: str,
    own: OwnParts,
    parent: ParentRun | None = None,
    notes: Sequence[Fault] = (),
) -> WiredTraining:
    """The training of `setup` in the folder `place`, ready to be carried out, or first put where it stood."""
    recipe = setup.recipe
    engine = build_engine(setup, engine_name)
    progress = progress_of(recipe, setup.horizon)
    writer = JournalWriter(journal)
    checkpointer = Checkpointer(place.checkpoints, engine, progress, writer, recipe.train)
    resumed, loading = place.journal.stat().st_size > 0, round(checkpointer.started_at - begin, 3)
    return WiredTraining(setup, place, engine, progress, writer, checkpointer, resumed, loading, own, parent, notes)


def carry_out(training: WiredTraining, reporter: Reporter) -> None:
    """Train to the end, score, and write all that a run keeps. Interrupted after Ctrl-C; StorageError where the disk
    refuses.
    """
    asked, parameters = training.setup.recipe.train, f"{training.setup.description.parameters:,}"
    doing = "portions" if asked.fit_memory else "training"
    try:
        keep_copy(training.setup.recipe, training.place)
        _open_journal(training)
        setup, step = training.setup, training.progress.step
        with (
            notices_of_run(training.own.notifier, training.place, reporter.note) as training.journal.hear,
            tracked_run(training.place, setup.recipe, setup.horizon.steps_per_epoch, step, reporter.note),
            memory_guard(doing, training.place.path, batch=asked.batch_size, parameters=parameters),
        ):
            _trained(training, reporter)
    except FolderGoneError:
        raise
    except StorageError as error:
        folder = shown(training.place.path)
        faults = [Fault("lab.stopped-by-disk", {"what": fault, "folder": folder}) for fault in error.faults]
        raise StorageError(*faults) from error


def _open_journal(training: WiredTraining) -> None:
    """Write what this session begins with."""
    setup, journal = training.setup, training.journal
    resumes = RunResumed(step=training.progress.step, loading=training.loading)
    journal.write(resumes if training.resumed else opening_record(setup, training.parent, training.loading))
    if not training.resumed and (drawn := drawn_net(setup)):
        journal.write(drawn)


def _trained(training: WiredTraining, reporter: Reporter) -> None:
    setup, place, engine, progress = training.setup, training.place, training.engine, training.progress
    journal, checkpointer = training.journal, training.checkpointer
    recipe, data, own, group = setup.recipe, setup.data, training.own, setup.group

    def batches(epoch: int, start: int) -> Iterable[Batch]:
        return training_batches(recipe, data, epoch, start, setup.device, setup.dtype, group)

    def validation_score() -> Score | Stop | None:
        with scored_in(engine) as net:
            asked, hears = asked_of(group, engine, interrupt), moments.collector()
            return score_part(setup, net, "validation", progress.epoch, asked, hears, own.metrics)

    with Interrupt(str(place.path)) as interrupt, preserved_randomness(), exact_kernels(setup.device), engine, reporter:
        parameters, notes = setup.description.parameters, [*data.notes, *training.notes]
        reporter.opening(shown(place.path), recipe, data.name, data.sizes, parameters, notes)
        portions = PortionCourse(setup, engine, journal, reporter.note)
        history = RunHistory.read(place.journal) if training.resumed else RunHistory()
        whole = None if isinstance(engine, ShardedEngine) else engine.scored_net
        moments = MomentTaker(setup, whole, progress, journal, history.moments)
        saver = saver_of(group, engine, checkpointer)
        recorders: Sequence[Listener] = [*training.recorders, moments, portions, saver]
        heard: Sequence[Listener] = [*recorders, reporter, interrupt, *own.listeners]
        heard = agreed(group, engine, heard, _course(training, reporter))
        stopwatch = Stopwatch(engine, journal, checkpointer, setup.device)
        portions.begin(batches)
        with Watching(recipe, engine, journal, reporter.finding, history):
            share_state(group, engine, progress)
            scoring = stopwatch.scoring(scored_by_first(group, validation_score, engine))
            stop = train(engine, batches, scoring, progress, [*heard, stopwatch])
        save_last(engine, saver)
        stopwatch.end()
        _tell_stop(stop, progress, recipe, reporter)
        chosen, scores = _chosen(setup, engine, progress, checkpointer)
        test, collector = stop, None
        if not stop or stop.reason != "interrupted":
            moments.end()
            setup = with_thresholds(setup, chosen, progress.epoch, reporter.note)
            collector = collector_of(setup.data, "test")
            test = score_part(setup, chosen, "test", progress.epoch, interrupt, collector, own.metrics)
        tell(group, {"interrupted": isinstance(test, Stop)})
        if isinstance(test, Stop):
            journal.write(RunStopped(step=progress.step, reason="interrupted"))
            write_run_report(place)
            raise Interrupted(str(place.path), saved=True)
        if chosen is not setup.net:  # a net of the user's is trained in place: it holds what was scored
            setup.net.load_state_dict(chosen.state_dict())
        scores["test"] = test
        score = {part: score for part, score in scores.items() if score}
        _tell_answers(collector, test, journal, reporter)
        _ended(training, setup, score, stop.reason if stop else "finished", reporter)
    share_weights(group, setup.net)


def _course(training: WiredTraining, reporter: Reporter) -> ProcessCourse | None:
    """What hears of each process, where the training is watched."""
    norms = not isinstance(training.engine, ShardedEngine)
    on = training.setup.recipe.watch.on
    return ProcessCourse(training.journal, reporter.note, norms=norms) if on else None


def _ended(training: WiredTraining, setup: Setup, score: dict[str, Score], reason: str, reporter: Reporter) -> None:
    """Write what a run that has ended keeps: before its end is told, its package is whole."""
    place, progress, journal = training.place, training.progress, training.journal
    shape = setup.description.output_shape
    if reason_of := complete_package(place, setup.recipe, setup.data, setup.net, score, shape):
        reporter.note(Fault("lab.runs-beside-its-code", {"why": reason_of}))
    journal.sync()
    journal.write(
        RunEnded(
            step=progress.step,
            epochs=progress.epoch,
            seconds=round(training.checkpointer.seconds, 3),
            reason=reason,
            diverged=progress.diverged_at(score),
            score={**score},
        )
    )
    journal.sync()  # whatever names this run as trained must not outlive its end
    for fault in write_run_pictures(place):
        reporter.note(fault)


def _tell_stop(stop: Stop | None, progress: Progress, recipe: Recipe, reporter: Reporter) -> None:
    """Say why the training ended before its last epoch, where somebody asked for that."""
    if stop and stop.reason == "early":
        reporter.stopped_early(progress.epoch, recipe.train.patience or 0)
    if stop and stop.reason == "asked":
        reporter.note(Fault("lab.stopped-by-listener", {"step": progress.step, "why": stop.why}))


def _tell_answers(
    collector: PredictionCollector | None, score: Score | None, journal: JournalWriter, reporter: Reporter
) -> None:
    """Record what was answered on the test part, and say where a naive forecast is as good."""
    if collector and (told := collector.record()):
        journal.write(told)
    if isinstance(collector, ForecastCollector) and (made := collector.forecast()):
        journal.write(made)
        if fault := below_naive(made, score):
            reporter.note(fault)


def _chosen(
    setup: Setup, engine: Engine, progress: Progress, checkpointer: Checkpointer
) -> tuple[nn.Module, dict[str, Score | None]]:
    """The net that is scored, the last or the best, with the scores of its epoch."""
    if not setup.recipe.train.scores_best or not checkpointer.best:
        return engine.scored_net, {"train": progress.train_score, "validation": progress.validation_score}
    net = copy.deepcopy(engine.scored_net)
    net.load_state_dict(checkpointer.best)
    return net, {"train": progress.best_train_score, "validation": progress.best_score}


def opening_record(setup: Setup, parent: ParentRun | None, loading: float = 0.0) -> RunStarted:
    """What a run's journal opens with; `loading` are the seconds before its first step."""
    return RunStarted(
        epochs=0 if setup.recipe.train.open_ended else setup.horizon.epochs,
        steps_per_epoch=setup.horizon.steps_per_epoch,
        fingerprint=setup.recipe.fingerprint(),
        loading=loading,
        version=VERSION,
        parent=parent,
    )
