"""fit and resume: one training, wired together and carried out."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, fail
from danlu.base.events import Listener
from danlu.base.memory import memory_guard
from danlu.base.places import launched, shown
from danlu.base.recipe import Recipe
from danlu.base.starting import begin_of_call
from danlu.nets.call_form import released
from danlu.run.agreement import together
from danlu.run.building import build_net, refuse_other_structure
from danlu.run.compiling import with_compiler
from danlu.run.distributed.following import follow
from danlu.run.distributed.launching import check_cores, run_of_job, starts_processes
from danlu.run.distributed.leading import lead, steady_threads
from danlu.run.distributed.sharing import check_alike, check_sharing, sharing_notes
from danlu.run.distributed.starting import refuse_objects, start_fit, start_resume
from danlu.run.engines import choose_engine, engine_of_run
from danlu.run.environment import compared_with_before, environment
from danlu.run.fine_tuning import begin_at, parent_with
from danlu.run.fitting_memory import plan_portions, portion_notes
from danlu.run.own.metric import MetricLike
from danlu.run.own.metrics import try_metrics
from danlu.run.own.nets import refuse_unasked, telling_where_net_was
from danlu.run.own.parts import OwnParts, own_parts, refuse_missing
from danlu.run.own.training import OwnTraining, own_training, refuse_beside, refuse_others, set_in, with_own
from danlu.run.run import Run
from danlu.run.settings.draft import RecipeSource, draft_recipe, net_and_data
from danlu.run.settings.usual import as_it_began, tabm_is_worth_a_try, until_patience_is_spent
from danlu.run.setup import Setup, load_given_weights, set_up
from danlu.run.trained_data import load_trained, telling_where
from danlu.run.training import WiredTraining, folder_asked, new_run, wired
from danlu.store.journal import Journal
from danlu.store.run_environment import parent_of, read_environment
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.store.turns import take_turn
from danlu.train.checkpoint import load_newest
from danlu.train.distributed.group import TrainingGroup, joined
from danlu.view.reporter import Reporter


@memory_guard("fit")
def fit(
    net: object = None,
    data: object = None,
    *,
    recipe: RecipeSource = None,
    folder: str | Path | None = None,
    name: str | None = None,
    weights_from: Run | str | Path | None = None,
    progress: bool = True,
    watch: bool | None = None,
    listeners: Sequence[Listener] | None = None,
    metrics: Mapping[str, MetricLike] | None = None,
    loss: object = None,
    notify: str | None = None,
    **settings: Any,
) -> Run:
    """Train `net` on `data`; with nothing given, LeNet-5 on the digits inside scikit-learn.

    `net` is a name, a class or function in a file of one's own (`"my_nets.py:Net"`; that file is run), or any nn.Module
    (trained in place: it ends with the weights that are scored); left out, it is the one that the data call for. `data`
    is a Dataset, a catalogue name, a table's path, (x, y) arrays, or a torch Dataset or DataLoader. `recipe` is a
    Recipe, a TOML file or the same as nested dicts; `settings` are its keys, flat where the name is unambiguous (lr,
    epochs, batch_size, momentum, seed, clip_norm …), or a section as a dict: optim={"name": "adam", "lr": 0.001}.
    `folder` is where the run will lie (absent or empty); else it gets a name of its own, or `name`, in `runs/`.
    `weights_from` is a run that has ended, or its folder: the training begins with the weights that were scored, in the
    net of that run where none is given; for another number of classes the last layer begins anew. It is watched for
    mistakes (`run.findings`) unless `watch` or the recipe's watch.on is False. `listeners` are called with every event
    (`danlu.TrainingStarted`, `StepDone`, `EpochDone`), and end it by answering `danlu.Stop("why")`. `metrics` score the
    validation and the test part too, by name: functions of (outputs, targets), or a torchmetrics.Metric. `loss` is a
    name, settings, or a function of (outputs, targets) that gives their mean loss; `optimizer` and `schedule` may be
    functions too, of the parameters and of the optimizer, or objects of torch's. `notify` is a web address or a command
    that hears of the end, a crash and the first error found. Raises UserError for a mistake in any of these, before the
    first step; StorageError where the disk refuses later; Interrupted (a KeyboardInterrupt) after Ctrl-C.

    >>> import tempfile
    >>> run = fit("softmax-regression", "digits", epochs=2, folder=tempfile.mkdtemp(), progress=False)
    >>> run.score["test"]["accuracy"] > 0.8
    True
    """
    begin, (net, data) = begin_of_call(), net_and_data(net, data)
    if weights_from is not None:
        net, settings = begin_at(net, weights_from, settings)
    settings, code = with_own(settings, loss)
    drafted = draft_recipe(net, data, recipe, settings if watch is None else {**settings, "watch.on": watch})
    refuse_beside(drafted, code)
    drafted, where = until_patience_is_spent(drafted), folder_asked(folder, name)
    module = net if isinstance(net, nn.Module) else None
    new = _Beginning(
        drafted, data, module, code, own_parts(listeners, metrics, notify, drafted), where, progress, begin
    )
    return _by_started_processes(new) if starts_processes(drafted) else _begun(new)


@dataclass(frozen=True)
class _Beginning:
    """A new training as it was asked for."""

    recipe: Recipe
    data: object
    net: nn.Module | None
    code: OwnTraining
    own: OwnParts
    folder: Path | None
    progress: bool
    began: float  # by `time.monotonic`

    def set_up(self, group: TrainingGroup) -> Setup:
        """Checked, for the processes that share it. UserError in all of them where it fails in one."""
        with together(group):
            given = None if isinstance(self.data, str | Path) else self.data
            setup = replace(set_in(set_up(self.recipe, given, self.net), self.code), group=group)
            check_sharing(setup, group.world)
            try_metrics(setup, self.own.metrics)
            notes = load_given_weights(setup.net, setup.recipe.net.weights)
        with together(group):
            check_alike(setup)
        for note in notes if group.rank == 0 else ():
            Reporter(self.progress).note(note)
        return setup


def _by_started_processes(new: _Beginning) -> Run:
    """The training carried out by processes of its own, which danlu starts: they know what a recipe says, no more."""
    refuse_objects(new.recipe, new.data, given=(new.net, *new.code.facts(), *new.own.listeners, *new.own.metrics))
    check_cores(new.recipe.train.processes or 1)
    setup = set_in(set_up(new.recipe), new.code)
    check_sharing(setup, new.recipe.train.processes or 1)
    made = start_fit(new.recipe, new.folder, new.own.notifier, progress=new.progress)
    return Run(made, data=setup.data)


def _begun(new: _Beginning) -> Run:
    """The training carried out in this process, as the first of its group or as another one."""
    own = launched()
    with joined(own) as group, steady_threads(new.recipe, own):
        setup = new.set_up(group)
        if group.rank:
            return Run(follow(setup), net=setup.net, data=setup.data)
        reporter = Reporter(new.progress)
        with contextlib.ExitStack() as stack:
            stack.enter_context(released(new.net))
            stood = None if own is None or not own.restarts else run_of_job(own.job, new.folder)
            with together(group):
                training = _prepared(new, setup, stack) if stood is None else _again(stood, setup, new, reporter, stack)
            path = lead(group, training, reporter)
    return Run(path, net=setup.net, data=setup.data)


def _prepared(new: _Beginning, setup: Setup, stack: contextlib.ExitStack) -> WiredTraining:
    """A new training, wired in its folder, which is open until the stack is left."""
    weights_given = new.net is not None or setup.recipe.net.weights is not None
    engine, own = choose_engine(setup), launched()
    setup, compiled = with_compiler(setup, engine)
    parent = parent_with(setup.recipe.net.weights)
    facts = environment(
        setup,
        weights_given=weights_given,
        engine=engine,
        metrics=tuple(new.own.metrics),
        parent=parent,
        job=None if own is None else own.job,
    )
    made = stack.enter_context(new_run(new.folder, setup, facts))
    training = wired(setup, made.place, made.journal, new.began, engine, new.own, parent, [*_notes(setup), *compiled])
    if weights_given:  # nothing else brings them back, so no run may stand without them
        training.checkpointer.save_first()
    made.establish()
    return training


def _again(
    folder: Path, setup: Setup, new: _Beginning, reporter: Reporter, stack: contextlib.ExitStack
) -> WiredTraining | Path:
    """The training that these processes were carrying out when the launcher started them anew: what is left of it."""
    if Run(folder).finished:
        return folder
    journal = stack.enter_context(Journal(RunFolder(folder).journal))
    reporter.note(Fault("processes.started-anew", {"folder": shown(folder)}))
    return _going_on(RunFolder(folder), journal, setup, new.net, reporter, new.began, new.own)


def _notes(setup: Setup) -> list[Fault]:
    """What is said of a new training besides what its data say."""
    train = setup.recipe.train
    notes = [Fault("lab.until-patience", {"patience": train.patience})] if train.open_ended else []
    notes += [*sharing_notes(setup), *portion_notes(setup)]
    return [*notes, Fault("lab.tabm-for-tables")] if tabm_is_worth_a_try(setup.recipe, setup.data) else notes


@memory_guard("fit")
def resume(
    folder: str | Path,
    *,
    net: nn.Module | str | None = None,
    data: object = None,
    root: str | Path | None = None,
    listeners: Sequence[Listener] | None = None,
    metrics: Mapping[str, MetricLike] | None = None,
    loss: object = None,
    optimizer: object = None,
    schedule: object = None,
    notify: str | None = None,
    progress: bool = True,
) -> Run:
    """Go on with a run exactly where its newest whole checkpoint stands; a finished run is returned as it is.

    `net`, `data`, `metrics`, `loss`, `optimizer` and `schedule` are needed where they were given to `fit` as objects
    that no recipe brings back (`net` also says where the file of a net, `my_nets.py:Net`, lies by now), and `listeners`
    hear of what is left where they are given again; where data have been moved, `data` is their path now, or `root` the
    folder to look for a catalogue's in. `notify` is that of `fit`; trackers hear on. The end state is bit-identical to
    that of a run never interrupted, on the same machine, torch build and thread count.
    """
    begin, place = begin_of_call(), RunFolder.open(Path(folder))
    run = Run(place.path, net=net, data=data)
    run.refuse_imported()
    own = own_parts(listeners, metrics, notify, run.recipe)
    if run.finished:
        return run
    code = own_training(loss=loss, optimizer=optimizer, schedule=schedule)
    if starts_processes(run.recipe):
        refuse_objects(
            run.recipe,
            data,
            given=(net if isinstance(net, nn.Module) else None, *code.facts(), *own.listeners, *own.metrics),
        )
        check_cores(run.recipe.train.processes or 1)
        start_resume(run.recipe, place.path, net, data, root, own.notifier, progress=progress)
        return Run(place.path, net=net, data=data)
    with joined(launched()) as group, steady_threads(run.recipe, launched()), contextlib.ExitStack() as stack:
        journal = None if group.rank else stack.enter_context(Journal(place.journal))
        reporter = Reporter(progress)
        with together(group):
            setup = replace(
                _set_up_again(run, place, net, data, root, code, reporter, first=not group.rank), group=group
            )
            check_sharing(setup, group.world)
        if journal is None:
            return Run(follow(setup), net=setup.net, data=setup.data)
        module = net if isinstance(net, nn.Module) else None
        stack.enter_context(released(module))
        with together(group):
            training = _going_on(RunFolder(run.folder), journal, setup, module, reporter, begin, own)
        lead(group, training, reporter)
    return Run(run.folder, net=setup.net, data=setup.data)


def _set_up_again(
    run: Run,
    place: RunFolder,
    net: object,
    data: object,
    root: str | Path | None,
    code: OwnTraining,
    reporter: Reporter,
    *,
    first: bool,
) -> Setup:
    """A run's training, set up anew from its recipe and from what was given as objects."""
    if first:
        take_turn(place.recipe)
    recipe = as_it_began(run.recipe)
    with telling_where("lab.data-moved", folder=shown(place.path)):
        dataset = load_trained(place, recipe, data, root)
    refuse_others(read_environment(place.environment), code, place)
    module = net if isinstance(net, nn.Module) else None
    if not isinstance(net, str):
        refuse_unasked(recipe, place)
    with telling_where_net_was(recipe, place):
        setup = set_in(set_up(recipe, dataset, module), code)
    if recipe.net.in_file and first:
        reporter.note(Fault("lab.own-net-runs", {"name": recipe.net.name, "sha256": recipe.net.sha256}))
    return setup


def _going_on(
    place: RunFolder,
    journal: Journal,
    setup: Setup,
    net: nn.Module | None,
    reporter: Reporter,
    begin: float,
    own: OwnParts,
) -> WiredTraining:
    """The training of a run, standing where its newest whole checkpoint does."""
    before = compared_with_before(place, setup, reporter)
    refuse_missing((before or {}).get("metrics", ()), own, place.path)
    try_metrics(setup, own.metrics)
    newest = load_newest(place.checkpoints)
    for fault in newest.skipped:
        reporter.note(fault)
    if newest.checkpoint:
        refuse_other_structure(setup.net, newest.checkpoint.parts["weights"], place.path)
    engine = engine_of_run(setup, before, newest.checkpoint, place.path)
    setup, compiled = with_compiler(setup, engine, bool(before and before.get("compiled")))
    notes = [*sharing_notes(setup), *compiled]
    training = wired(setup, place, journal, begin, engine, own, parent_of(before), notes)
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
    plan_portions(training.engine, RunHistory.read(place.journal).micro_batches)
    return training
