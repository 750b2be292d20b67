"""compare: a study carried out, from the factors to the answer."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy

from danlu.base.errors import Fault, UserError, fail
from danlu.base.memory import memory_guard
from danlu.base.naming import spelled
from danlu.base.own_code import file_and_maker
from danlu.base.places import shown, studies_folder
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import RecipeDraft
from danlu.base.seeds import preserved_randomness
from danlu.base.starting import begin_of_call
from danlu.nets import AUTO
from danlu.nets import names as net_names
from danlu.nets.own_file import own_file, own_maker
from danlu.run.interrupt import Interrupt, Interrupted, interrupted_as
from danlu.run.listeners.notify import notifier_of
from danlu.run.pictures import write_study_report
from danlu.run.settings.draft import CUSTOM, RecipeSource, draft_recipe, net_and_data
from danlu.run.settings.net_and_data import data_for_net, net_for_data
from danlu.run.setup import load_data
from danlu.stack import Choices, choosing
from danlu.store.journal import Journal
from danlu.store.records import (
    VERSION,
    BaselineDone,
    BestChosen,
    FailedCombination,
    NothingFound,
    Record,
    StudyBegan,
    StudyLooked,
    TrainingsDone,
)
from danlu.store.run_folder import folder_stem
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.store.turns import take_turn
from danlu.study.baselines import baseline_scores, check_baselines, is_random
from danlu.study.beside import Beside
from danlu.study.builders import Builder, builder_of
from danlu.study.carry_out import Order
from danlu.study.checks import check_folds, check_jobs, check_metric, check_size, check_study_margin
from danlu.study.factors import keys_of
from danlu.study.levels import Level, plain
from danlu.study.levels import shown as shown_level
from danlu.study.member_key import MemberKey
from danlu.study.on_cluster import StudyCluster
from danlu.study.plan import Plan, make_plan
from danlu.study.reached import connected
from danlu.study.refit import refitted
from danlu.study.reporting import UNREPORTED, Reporting, reporting_of
from danlu.study.samples import fits_a_stack
from danlu.study.seeds import seeds_of
from danlu.study.study import Given, Study
from danlu.view.study import StudyReporter

DEFAULTS = 2
"""Noted in a study's folder: what its recipe leaves open is filled in by the defaults of danlu 0.2, not of 0.1."""


@memory_guard("study")
def compare(
    net: object = None,
    data: object = None,
    *,
    vary: Mapping[str, Sequence[Level] | Mapping[str, Level]] | None = None,
    seeds: int | Sequence[int] = 10,
    folds: int = 1,
    recipe: RecipeSource = None,
    metric: str | None = None,
    margin: float | None = None,
    baselines: Sequence[str] = (),
    share_order: bool = False,
    jobs: int | None = None,
    cluster: object = None,
    folder: str | Path | None = None,
    notify: str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Study:
    """Train every combination of levels with every seed on every fold, and say what each factor does.

    `net` (a name, or a function that builds one), `data`, `recipe` and `settings` are those of `fit`; `vary` maps
    settings to their levels, the first being the one compared with; "net" varies whole nets (names, or
    functions that build one: a list of both, or a dict of functions by name), "recipe" the files of whole recipes. With
    one fold the data's own validation part judges. `margin` is the largest difference in `metric` that counts as none.
    `baselines` are of scikit-learn: "majority", "linear", "svm", "forest", or the name of any of
    its classifiers or regressors. With `share_order` all seeds see the samples in one order. What cannot be stacked is
    trained in `jobs` processes (None: as many as pay), or wherever `joblib.parallel_config` says. On a `cluster` all is
    trained there: "dask://127.0.0.1:8786", "ray://…", "ray", or a client of Dask's. `notify` is that of `fit`. Where
    `folder` holds this very study unfinished, it goes on. Raises UserError for a mistake in any of these; Interrupted
    after Ctrl-C.

    >>> import tempfile
    >>> study = compare("softmax-regression", "iris", vary={"lr": [1e-5, 0.1]}, seeds=3, folds=3, epochs=10,
    ...                 folder=tempfile.mkdtemp(), progress=False)
    >>> len(study.members), study.effects[0].verdict
    (18, 'better')
    """
    begin = begin_of_call()
    plan, base, given = planned(net, data, vary=vary, seeds=seeds, folds=folds, recipe=recipe, **settings)
    check_baselines(baselines, plan.planned[0].setup.data.task)
    check_jobs(jobs, cluster)
    check_metric(metric, plan)
    check_study_margin(margin, metric, plan)
    reporting = reporting_of(base, notify)
    design = design_of(plan, base, metric=metric, margin=margin, baselines=list(baselines), share_order=share_order)
    with connected(cluster, StudyReporter(progress).note) as reached:  # before there is a folder
        place = StudyFolder.make(Path(folder) if folder else new_folder(plan), design)
        return carried_out(place, plan, given, progress, jobs, reached, begin, reporting)


@memory_guard("study")
def planned(
    net: object = None,
    data: object = None,
    *,
    vary: Mapping[str, Sequence[Level] | Mapping[str, Level]] | None = None,
    seeds: int | Sequence[int] = 10,
    folds: int = 1,
    recipe: RecipeSource = None,
    **settings: Any,
) -> tuple[Plan, Recipe, Given]:
    """What `compare` would train, with the recipe it starts from; nothing is trained or written."""
    net, data = net_and_data(net, data)
    base, maker, notes = base_of(net, data, recipe, settings)
    factors = keys_of(base, {} if vary is None else vary)
    numbers = seeds_of(seeds)
    check_folds(folds)
    check_size(factors, len(numbers), folds)
    given = None if isinstance(data, str | Path) else data
    plan = make_plan(base, factors, numbers, folds, data=given, maker=maker)
    if plan.failed and len(plan.planned) < 2:  # nothing is left to be compared
        raise UserError(*(fault for _, fault in plan.failed))
    makers = {shown_level(level): level for level in factors.get("net.name", []) if callable(level)}
    return replace(plan, notes=notes), base, Given(given, maker, makers)


def design_of(plan: Plan, base: Recipe, **more: Any) -> dict[str, Any]:
    """What a study's folder says of it: the recipe it starts from, what it varies, and `more` about the answer."""
    parts: dict[str, Any] = {"recipe": base.without_trackers().as_dict(), "factors": plan.factors, "defaults": DEFAULTS}
    parts |= {"seeds": list(plan.seeds), "folds": plan.folds}
    functions = [level for level in plan.factors.get("net.name", []) if isinstance(level, Builder)]
    own = [name for name in plan.factors.get("net.name", []) if file_and_maker(name)]
    parts |= {"own_nets": {name: own_file(name).sha256 for name in own}} if own else {}
    return plain(parts | ({"functions": functions} if functions else {}) | more)


def base_of(
    net: object, data: object, recipe: RecipeSource, settings: Mapping[str, Any]
) -> tuple[Recipe, Builder | None, tuple[Fault, ...]]:
    """The recipe that a study starts from, what builds its nets where that is a function of the user's, and what was
    chosen for the data, to be told.
    """
    maker = builder_of(net) if callable(net) else None
    base = draft_recipe(None if maker else net, data, recipe, settings)
    if maker:
        base = replace(base, net=replace(base.net, name=CUSTOM, options={"class": maker.__name__}))
    if base.net.name == AUTO:
        given = None if isinstance(data, str | Path) else data
        base, told = net_for_data(base, load_data(data_for_net(base, given), given))
        return base, maker, (told,) if told else ()
    return base, maker, ()


def recipe_of_design(place: StudyFolder) -> Recipe:
    """The recipe that a study on the disk started from."""
    draft, design = RecipeDraft(), place.read_design()
    for section, keys in design["recipe"].items():
        for key, value in keys.items():
            draft.put(f"{section}.{key}", value, Fault("recipe.place-file", {"path": place.design}))
    if "defaults" not in design:
        draft.take_defaults_before(design["factors"])
        if not {"train.weights", "train.patience"} & (draft.values.keys() | _settings_in(design["factors"])):
            draft.put("train.weights", "last", Fault("recipe.place-file", {"path": place.design}))
        if "train.limit_predictions" not in _settings_in(design["factors"]):
            draft.put("train.limit_predictions", False, Fault("recipe.place-file", {"path": place.design}))
    return draft.recipe()


def _settings_in(factors: Mapping[str, Sequence[Any]]) -> set[str]:
    """The settings that a study varies, also those among several of one level."""
    levels = [level for levels in factors.values() for level in levels if isinstance(level, Mapping)]
    return {*factors, *(key for level in levels for key in cast(Mapping[str, Any], level))}


@memory_guard("study")
def go_on(
    folder: str | Path,
    *,
    data: object = None,
    net: object = None,
    seeds: Sequence[int] | None = None,
    jobs: int | None = None,
    cluster: object = None,
    notify: str | None = None,
    progress: bool = True,
) -> Study:
    """Carry out what a study still lacks, after an interruption; or with further `seeds`, all of them named here.

    `data` and `net` are those that were given as objects; where functions were levels of "net", `net` is a dict of
    them by name. A study that lacks nothing is returned as it is. The seeds stand in its folder only once all that
    they need is at hand.
    """
    begin, reporting = begin_of_call(), Reporting(notifier=notifier_of(notify))
    check_jobs(jobs, cluster)
    place = StudyFolder.open(Path(folder))
    design = place.read_design()
    given = cast(dict[str, Any], net) if isinstance(net, dict) else {}
    makers = {name: builder_of(build, name) for name, build in given.items()}
    base = recipe_of_design(place)
    maker = builder_of(net, str(base.net.options.get("class", ""))) if callable(net) else None
    if base.net.name == CUSTOM and maker is None and "net.name" not in design["factors"]:
        fail("study.net-needed", name=base.net.options.get("class", CUSTOM))
    factors = {**design["factors"]}
    for name, sha256 in design.get("own_nets", {}).items():
        own_maker(name, sha256)
    if "net.name" in factors:
        names: list[str] = factors["net.name"]
        factors["net.name"] = [makers.get(name, name) for name in names]
        by_name = [name for name in names if spelled(name, net_names()) or file_and_maker(name)]
        built: list[str] = design.get("functions", [name for name in names if name not in by_name])
        unknown = [name for name in built if name not in makers]
        if unknown:
            fail("study.net-levels-needed", names=", ".join(unknown), name=unknown[0])
    numbers = design["seeds"] if seeds is None else list(seeds)
    plan = make_plan(base, factors, numbers, design["folds"], data=data, maker=maker)
    return carried_out(place, plan, Given(data, maker, makers), progress, jobs, cluster, begin, reporting)


Study.carry_on = staticmethod(go_on)


def carried_out(
    place: StudyFolder, plan: Plan, given: Given, progress: bool, jobs: int | None, cluster: object = None,
    called: float | None = None, reporting: Reporting = UNREPORTED,
) -> Study:  # fmt: skip
    """Train what the study in `place` lacks of `plan`, then the best; `called` is when, `reporting` who hears of it."""
    asked = {**(before := place.read_design()), "seeds": list(plan.seeds)}
    if asked == before and place.journal.is_file() and Study(place.path).lacks_nothing:
        return Study(place.path, given)
    reporter = StudyReporter(progress)
    reporter.opening(plan.facts(), shown(place.path))
    begin = time.monotonic()
    loading = 0.0 if called is None else round(begin - called, 3)
    history = StudyHistory.read(place.journal)
    done = frozenset(MemberKey(dict(one.factors), one.seed, one.fold).key for one in history.members)
    with (
        interrupted_as(str(place.path)),
        reporting.around(place, recipe_of_design(place), reporter.note),
        memory_guard("study", place.path),
        Journal(place.journal) as journal,
        Interrupt(str(place.path)) as interrupt,
        preserved_randomness(),
        choosing(Choices(history.choices)),
        connected(cluster, reporter.note) as reached,
    ):
        if asked != before:
            place.write_design(asked)
        take_turn(place.design)
        journal.add(_opening(plan, loading))
        design = place.read_design()
        beside = Beside(journal, place.stacks, plan.members, design["metric"], reporter.note, lambda: interrupt.asked)

        def tell(record: Record) -> None:
            beside.write(record)
            reporter.member()

        order = Order(
            plan, done, place.members, tell, lambda: interrupt.asked, jobs=jobs, before=history.seeds,
            share_order=design.get("share_order", False), beside=beside,
            cluster=None if reached is None else StudyCluster(reached, reporter.note),
        )  # fmt: skip
        whole = order.carry_out(lambda group, members: reporter.group(len(group.planned), members, group.alone))
        journal.add(TrainingsDone(seconds=time.monotonic() - begin))
        if not whole:
            journal.sync()
            raise Interrupted(str(place.path), saved=True)
        journal.add(StudyLooked(seeds=len(plan.seeds)))  # what is read from here on is an answer
        beside.over()
        _answer(place, plan, journal)
        if fault := write_study_report(place):
            reporter.note(fault)
    reporter.close()
    return Study(place.path, given)


def _opening(plan: Plan, loading: float) -> StudyBegan:
    failed = tuple(FailedCombination(**row) for row in plan.facts()["failed"])
    return StudyBegan(members=plan.members, seeds=tuple(plan.seeds), failed=failed, loading=loading, version=VERSION)


def _answer(place: StudyFolder, plan: Plan, journal: Journal) -> None:
    """What comes after all trainings: the baselines, and the best once more."""
    begin = time.monotonic()
    _measure_baselines(place, plan, journal)
    journal.sync()
    _refit(place, plan, journal)
    journal.add(TrainingsDone(seconds=time.monotonic() - begin))
    journal.sync()


def _measure_baselines(place: StudyFolder, plan: Plan, journal: Journal) -> None:
    names: list[str] = place.read_design()["baselines"]
    datasets = plan.planned[0].folds
    if names and not fits_a_stack(datasets[0]):
        fail("study.streamed-baselines", name=datasets[0].name)
    journal.flush()
    measured = {(one.baseline, one.seed, one.fold) for one in StudyHistory.read(place.journal).baselines}
    for name in names:
        for fold, data in enumerate(datasets):
            for seed in plan.seeds if is_random(name, data.task) else plan.seeds[:1]:
                if (name, seed, fold) in measured:
                    continue
                score = baseline_scores(name, data, seed)
                journal.add(BaselineDone(baseline=name, seed=seed, fold=fold, score=score))


def _refit(place: StudyFolder, plan: Plan, journal: Journal) -> None:
    """Train the best combination on training and validation part together, and score it on the test part: once."""
    journal.flush()
    study = Study(place.path)
    if not study.members:
        fail("study.all-failed", reason=study.failed[0]["reason"])
    if study.cure is None and all(member.diverged for member in study.members):
        journal.add(NothingFound())
        return
    factors = study.chosen
    chosen = next(one for one in plan.planned if plain(one.cell.factors) == plain(factors))
    trained = refitted(place, chosen, plan.seeds[0])
    values = [member for member in study.members if dict(member.factors) == factors and not member.diverged]
    names = values[0].score if values else {}
    validation = {name: float(numpy.mean([member.score[name] for member in values])) for name in names}
    journal.add(BestChosen(factors=factors, validation=validation, **trained))


def new_folder(plan: Plan) -> Path:
    """A folder in `studies/` that is not there yet, named for net and data."""
    recipe, data = plan.planned[0].setup.recipe, plan.planned[0].setup.data
    stem = folder_stem(recipe.net.label, data.name)
    count = 1
    while (place := studies_folder() / (stem if count == 1 else f"{stem}-{count}")).exists():
        count += 1
    return place
