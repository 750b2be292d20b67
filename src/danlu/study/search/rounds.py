"""The rounds of a search: proposed, trained as stacks, halved on the way, until the budget is spent."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from danlu.base.errors import Fault, UserError
from danlu.base.recipe import Recipe
from danlu.stack import choices
from danlu.stats.studies import Member, usual_metric
from danlu.store.journal import Journal
from danlu.store.records import ChoicesMade, MemberDone, MemberFailed, RoundBegan, RoundDone
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.study.builders import Builder
from danlu.study.carry_out import Order, Race
from danlu.study.factors import cell
from danlu.study.member_key import MemberKey
from danlu.study.on_cluster import StudyCluster
from danlu.study.plan import Plan, plan_cells
from danlu.study.search.proposals import Point, proposed
from danlu.study.search.ranges import Range
from danlu.view.info.trials import Trial, trials_of
from danlu.view.search import SearchReporter

_ROUNDS = 4  # so many, where the budget is no smaller than it must be
_LEAST_TRIALS, _MOST_TRIALS = 8, 64  # a round


@dataclass(frozen=True)
class Budget:
    """How much a search may spend: trainings begun, and minutes where a number is given."""

    trainings: int
    minutes: float | None

    def trials(self, each: int) -> int:
        """How many trials of `each` trainings."""
        return self.trainings // each

    def round_size(self, each: int) -> int:
        """How many trials a round has."""
        trials = self.trials(each)
        return min(trials, max(_LEAST_TRIALS, min(_MOST_TRIALS, math.ceil(trials / _ROUNDS))))


@dataclass(frozen=True)
class Quest:
    """What is searched, and what for: fixed from the first round to the last. `notes` tell what was chosen for the
    data where nobody named it.
    """

    base: Recipe
    ranges: Sequence[Range]
    seeds: Sequence[int]
    folds: int
    metric: str | None
    budget: Budget
    data: object = None
    maker: Builder | None = None
    jobs: int | None = None
    cluster: object = None
    notes: tuple[Fault, ...] = ()

    @property
    def each(self) -> int:
        """Trainings a trial."""
        return len(self.seeds) * self.folds

    def facts(self, plan: Plan) -> dict[str, Any]:
        """What is searched, as plain values; `plan` is that of a round."""
        trials, size = self.budget.trials(self.each), self.budget.round_size(self.each)
        return {
            "ranges": [one.as_dict() for one in self.ranges],
            "trainings": self.budget.trainings,
            "minutes": self.budget.minutes,
            "trials": trials,
            "rounds": math.ceil(trials / size),
            "rungs": list(rungs(plan)),
        }

    def points(self, trials: Sequence[Trial]) -> list[Point]:
        """The next round after `trials`; empty where the budget is spent."""
        count = min(self.budget.round_size(self.each), self.budget.trials(self.each) - len(trials))
        if count <= 0:
            return []
        metric = self.metric or usual_metric([member for trial in trials for member in trial.members])
        ranked = sorted(trials, key=lambda trial: trial.rank(metric), reverse=True)
        return proposed(self.ranges, [trial.factors for trial in ranked], count, self.base.train.seed)

    def plan(self, points: Sequence[Point]) -> Plan:
        """How the trials of a round are trained. UserError where none can be."""
        factors = {one.key: sorted({point[one.key] for point in points}) for one in self.ranges}
        cells = [cell(self.base, point, self.maker) for point in points]
        return plan_cells(cells, factors, self.seeds, self.folds, data=self.data)

    def keep(self, places: Sequence[MemberKey], scores: Mapping[str, Sequence[float]]) -> list[MemberKey]:
        """Those of the better half of the trials, by the mean over seeds and folds."""
        trials: defaultdict[str, list[int]] = defaultdict(list)
        for number, place in enumerate(places):
            trials[str(place.factors)].append(number)
        metric = self.metric or usual_metric([_member(places[0], scores, 0)])

        def rank(numbers: list[int]) -> tuple[float, float]:
            members = [_member(places[number], scores, number) for number in numbers]
            values = float(numpy.mean([member.value(metric) for member in members]))
            loss = float(numpy.mean([member.value("loss") for member in members]))
            return values if math.isfinite(values) else -math.inf, loss if math.isfinite(loss) else -math.inf

        ranked = sorted(trials.values(), key=rank, reverse=True)
        return [places[number] for numbers in ranked[: math.ceil(len(ranked) / 2)] for number in numbers]


def rungs(plan: Plan) -> tuple[int, ...]:
    """The epochs after which the worse half of a stack's trials is dropped: an eighth, a quarter, a half."""
    epochs = max(planned.setup.horizon.epochs for planned in plan.planned)
    return tuple(sorted({epochs // part for part in (8, 4, 2) if epochs // part}))


def carry_out_rounds(
    quest: Quest,
    place: StudyFolder,
    journal: Journal,
    reporter: SearchReporter,
    asked_to_stop: Callable[[], bool],
    cluster: StudyCluster | None = None,
) -> bool:
    """Round after round until the budget is spent; False when told to break off. A round begun before starts anew."""
    begin = time.monotonic()
    before = sum(one.seconds or 0.0 for one in StudyHistory.read(place.journal).rounds)
    while True:
        journal.flush()
        trials = trials_of(StudyHistory.read(place.journal))
        number = 1 + max((trial.round for trial in trials), default=0)
        spent = before + time.monotonic() - begin
        last = spent / (number - 1) if number > 1 else 0.0
        if quest.budget.minutes is not None and spent + last > 60 * quest.budget.minutes:
            return True
        points = quest.points(trials)
        if not points:
            return True
        dropped = sum(trial.state == "dropped" for trial in trials)
        left = quest.budget.trials(quest.each) - len(trials) - len(points)
        reporter.round(number, trials=len(points), left=left, dropped=dropped)
        if not _round(quest, number, points, place, journal, reporter, asked_to_stop, cluster):
            return False


def _round(
    quest: Quest,
    number: int,
    points: Sequence[Point],
    place: StudyFolder,
    journal: Journal,
    reporter: SearchReporter,
    asked_to_stop: Callable[[], bool],
    cluster: StudyCluster | None,
) -> bool:
    begin = time.monotonic()
    journal.add(RoundBegan(number=number, points=tuple(points)))
    try:
        plan = quest.plan(points)
        failed = list(plan.failed)
    except UserError as error:
        plan, failed = None, [(dict(point), error.faults[0]) for point in points]
    for factors, fault in failed:
        journal.add(MemberFailed(round=number, factors=factors, reason=str(fault)))

    def tell(record: MemberDone | MemberFailed) -> None:
        if made := choices().unsaid():
            journal.add(ChoicesMade(made=made))
        journal.add(replace(record, round=number))
        journal.flush()
        reporter.member()

    if plan:
        race = Race(rungs(plan), quest.keep)
        order = Order(
            plan, frozenset(), place.members, tell, asked_to_stop, race=race, jobs=quest.jobs, cluster=cluster
        )
        if not order.carry_out(lambda group, members: reporter.group(members, group.alone)):
            return False
    journal.add(RoundDone(number=number, seconds=time.monotonic() - begin))
    journal.sync()
    return True


def _member(place: MemberKey, scores: Mapping[str, Sequence[float]], number: int) -> Member:
    return Member(
        place.factors, place.seed, place.fold, {name: values[number] for name, values in scores.items()}, False
    )
