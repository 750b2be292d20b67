"""search: numeric settings proposed in rounds of a whole stack, the hopeless dropped early."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from danlu.base.counts import check_above, check_count
from danlu.base.errors import Faults
from danlu.base.memory import memory_guard
from danlu.base.places import shown
from danlu.base.seeds import preserved_randomness
from danlu.base.starting import begin_of_call
from danlu.run.interrupt import Interrupt, Interrupted, interrupted_as
from danlu.run.listeners.notify import notifier_of
from danlu.run.settings.draft import RecipeSource, net_and_data
from danlu.stack import Choices, choosing
from danlu.store.journal import Journal
from danlu.store.records import VERSION, BestChosen, NothingFound, StudyBegan, TrainingsDone
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.store.turns import take_turn
from danlu.study.builders import builder_of
from danlu.study.checks import check_folds, check_jobs, check_metric, check_size
from danlu.study.compare import (
    DEFAULTS,
    base_of,
    new_folder,
    recipe_of_design,
)
from danlu.study.levels import plain
from danlu.study.on_cluster import StudyCluster
from danlu.study.plan import Plan
from danlu.study.reached import connected
from danlu.study.refit import refitted
from danlu.study.reporting import Reporting, reporting_of
from danlu.study.search.ranges import Range, ranges_of
from danlu.study.search.result import Search
from danlu.study.search.rounds import Budget, Quest, carry_out_rounds
from danlu.study.seeds import seeds_of
from danlu.study.study import Given
from danlu.view.search import SearchReporter

_MOST_TRAININGS = 10**5  # what proposes the next ones looks at all before them


@memory_guard("study")
def search(
    net: object = None,
    data: object = None,
    *,
    space: Mapping[str, Any] | None = None,
    trainings: int = 64,
    minutes: float | None = None,
    seeds: int | Sequence[int] = 1,
    folds: int = 1,
    recipe: RecipeSource = None,
    metric: str | None = None,
    jobs: int | None = None,
    cluster: object = None,
    folder: str | Path | None = None,
    notify: str | None = None,
    progress: bool = True,
    **settings: Any,
) -> Search:
    """Look for the numbers that do best: `space` maps settings to ranges, `{"lr": (1e-4, 1)}` or `"log:1e-4..1"`.

    Trials are proposed in rounds of a whole stack; after an eighth, a quarter and a half of the epochs the worse half
    of a stack makes way (successive halving). A trial is trained with every seed on every fold. No more than
    `trainings` are begun, and no round that would end after `minutes`. The best by its validation parts is trained once
    more on all but the test part, and scored on that once. `net`, `data`, `recipe`, `jobs`, `cluster`, `notify` and
    `settings` are those of `compare`. Where `folder` holds this very search unfinished, it goes on. Raises UserError
    for a mistake in any of these; Interrupted after Ctrl-C. Needs the extra `search`.

    >>> import tempfile
    >>> found = search("softmax-regression", "iris", space={"lr": (1e-4, 1)}, trainings=8, epochs=8,
    ...                folder=tempfile.mkdtemp(), progress=False)
    >>> found.best.factors["optim.lr"] > 0.01, len(found.trials)
    (True, 8)
    """
    begin = begin_of_call()
    quest, plan, given = sought(
        net, data, space=space, trainings=trainings, minutes=minutes, seeds=seeds, folds=folds, recipe=recipe,
        metric=metric, jobs=jobs, cluster=cluster, **settings,
    )  # fmt: skip
    reporting = reporting_of(quest.base, notify)
    design = {
        "recipe": quest.base.without_trackers().as_dict(),
        "factors": {one.key: [one.low, one.high] for one in quest.ranges},
        "seeds": list(quest.seeds),
        "folds": folds,
        "metric": metric,
        "defaults": DEFAULTS,
        "margin": None,
        "baselines": [],
        "search": {"ranges": [one.as_dict() for one in quest.ranges], "trainings": trainings, "minutes": minutes},
    }
    with connected(cluster, SearchReporter(progress).note) as reached:  # before there is a folder
        place = StudyFolder.make(Path(folder) if folder else new_folder(plan), plain(design))
        return _carried_out(place, replace(quest, cluster=reached), given, progress, begin, reporting)


@memory_guard("study")
def sought(
    net: object = None,
    data: object = None,
    *,
    space: Mapping[str, Any] | None = None,
    trainings: int = 64,
    minutes: float | None = None,
    seeds: int | Sequence[int] = 1,
    folds: int = 1,
    recipe: RecipeSource = None,
    metric: str | None = None,
    jobs: int | None = None,
    cluster: object = None,
    **settings: Any,
) -> tuple[Quest, Plan, Given]:
    """What `search` would look for, and its first round; nothing is trained or written."""
    net, data = net_and_data(net, data)
    base, maker, notes = base_of(net, data, recipe, settings)
    numbers = seeds_of(seeds)
    check_folds(folds)
    check_size({}, len(numbers), folds)
    check_jobs(jobs, cluster)
    faults = Faults()
    ranges: list[Range] = []
    with faults.gathered():
        ranges = ranges_of(base, {} if space is None else space)
    counted = check_count(faults, "trainings", trainings, 1, _MOST_TRAININGS)
    if counted and trainings < 2 * len(numbers) * folds:
        faults.add("search.no-budget", found=trainings, each=len(numbers) * folds)
    if minutes is not None:
        check_above(faults, "minutes", minutes)
    faults.raise_if_any()
    given = None if isinstance(data, str | Path) else data
    quest = Quest(base, ranges, numbers, folds, metric, Budget(trainings, minutes), given, maker, jobs, cluster, notes)
    plan = replace(quest.plan(quest.points([])), notes=notes)
    check_metric(metric, plan)
    return quest, plan, Given(given, maker)


@memory_guard("study")
def go_on_searching(
    folder: str | Path,
    *,
    data: object = None,
    net: Any = None,
    jobs: int | None = None,
    cluster: object = None,
    notify: str | None = None,
    progress: bool = True,
) -> Search:
    """Carry out what a search still lacks after an interruption."""
    begin, reporting = begin_of_call(), Reporting(notifier=notifier_of(notify))
    check_jobs(jobs, cluster)
    place = StudyFolder.open(Path(folder))
    design = place.read_design()
    asked = design["search"]
    ranges = [Range(**one) for one in asked["ranges"]]
    budget = Budget(asked["trainings"], asked["minutes"])
    base = recipe_of_design(place)
    maker = builder_of(net, str(base.net.options.get("class", ""))) if callable(net) else None
    metric = design["metric"]
    quest = Quest(base, ranges, design["seeds"], design["folds"], metric, budget, data, maker, jobs, cluster)
    return _carried_out(place, quest, Given(data, quest.maker), progress, begin, reporting)


def _carried_out(
    place: StudyFolder, quest: Quest, given: Given, progress: bool, called: float, reporting: Reporting
) -> Search:
    """`called` is when the search was asked for."""
    if place.journal.is_file() and Search(place.path).finished:
        return Search(place.path, given)
    reporter = SearchReporter(progress)
    budget = quest.budget
    reporter.opening([str(one) for one in quest.ranges], budget.trainings, budget.minutes, shown(place.path))
    if progress:
        for note in quest.notes:
            reporter.note(note)
    begin = time.monotonic()
    with (
        interrupted_as(str(place.path)),
        reporting.around(place, quest.base, reporter.note),
        memory_guard("study", place.path),
        Journal(place.journal) as journal,
        choosing(Choices(StudyHistory.read(place.journal).choices)),
        Interrupt(str(place.path)) as interrupt,
        preserved_randomness(),
        connected(quest.cluster, reporter.note) as reached,
        reporter,
    ):
        take_turn(place.design)
        journal.add(StudyBegan(loading=round(begin - called, 3), version=VERSION))
        cluster = None if reached is None else StudyCluster(reached, reporter.note)
        whole = carry_out_rounds(quest, place, journal, reporter, lambda: interrupt.asked, cluster)
        journal.add(TrainingsDone(seconds=time.monotonic() - begin))
        journal.sync()
        if not whole:
            raise Interrupted(str(place.path), saved=True)
        trained = time.monotonic()
        _refit(place, quest, journal)
        journal.add(TrainingsDone(seconds=time.monotonic() - trained))
        journal.sync()
    return Search(place.path, given)


def _refit(place: StudyFolder, quest: Quest, journal: Journal) -> None:
    """Train the best trial on training and validation part together, and score it on the test part: once."""
    done = Search(place.path)
    best = next(iter(done.ranked), None)
    if best is None or best.state != "finished":
        journal.add(NothingFound())
        return
    (chosen,) = quest.plan([dict(best.factors)]).planned
    trained = refitted(place, chosen, quest.seeds[0])
    journal.add(BestChosen(factors=dict(best.factors), validation=best.score, **trained))
