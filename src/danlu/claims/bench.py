"""Where a claim's trainings are carried out: each lot in a study's folder of its own, so that a kill costs nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from danlu.base.errors import Fault, UserError
from danlu.base.files import make_folder
from danlu.base.recipe import DataRecipe, Recipe
from danlu.base.seeds import preserved_randomness
from danlu.claims.training import Training
from danlu.data import Dataset
from danlu.data.memory import MemoryDataset
from danlu.data.text.corpus import CorpusDataset
from danlu.run.interrupt import Interrupt, Interrupted
from danlu.run.settings.draft import CUSTOM, draft_recipe
from danlu.run.setup import load_data
from danlu.stack import Choices, choosing
from danlu.store.journal import Journal
from danlu.store.records import VERSION, MemberDone, Record, StudyBegan, TrainingsDone
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.store.turns import take_turn
from danlu.study.beside import Beside
from danlu.study.builders import Builder, builder_of
from danlu.study.carry_out import Order
from danlu.study.compare import design_of
from danlu.study.factors import Cell
from danlu.study.member_key import MemberKey
from danlu.study.on_cluster import StudyCluster
from danlu.study.plan import Plan, plan_cells
from danlu.study.reached import connected

RATE = "optim.lr"


@dataclass(frozen=True)
class Trainable:
    """What is trained on what: `net` by name, or a function that builds one; `data` by name, or as `danlu.load` gives
    them; `settings` of the recipe on top."""

    net: Any
    data: Any
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Bench:
    """Trains what a claim asks for, in folders under `folder`, here or on a `cluster`; `note` hears of each lot that
    begins."""

    folder: Path
    note: Callable[[str], None] = lambda lot: None
    cluster: object = None
    _loaded: dict[DataRecipe, Dataset] = field(default_factory=dict[DataRecipe, Dataset])

    def train(
        self, lot: str, ground: Trainable, *, rates: Sequence[float | None], seeds: Sequence[int], judge: str
    ) -> dict[float | None, list[Training]]:
        """Every rate with every seed, by rate in the order of the seeds. `judge` is the part that scores: "validation"
        where something is chosen by it, "test" where not. `lot` names the folder, which goes on where it was broken
        off. Interrupted after Ctrl-C.
        """
        self.note(lot)
        base, maker = _recipe(ground)
        data = judged_by(self._data(base.data, ground.data), judge)
        cells = [_cell(base, rate, maker) for rate in rates]
        factors = {RATE: [rate for rate in rates if rate is not None]}
        plan = plan_cells(cells, factors, seeds, 1, data=data)
        if plan.failed:
            raise UserError(plan.failed[0][1])
        place = StudyFolder.make(self.folder / lot, design_of(plan, base, metric=None, margin=None, baselines=[]))
        carry_out(place, plan, self.cluster)
        return _trials(place, plan)

    def data_of(self, ground: Trainable) -> Dataset:
        """The data that would be trained on."""
        base, _ = _recipe(ground)
        return self._data(replace(base.data, samples=None), ground.data)

    def _data(self, recipe: DataRecipe, given: Any) -> Dataset:
        if not isinstance(given, str | Path):
            return load_data(recipe, given)
        if recipe not in self._loaded:
            self._loaded[recipe] = load_data(recipe)
        return self._loaded[recipe]


def judged_by(data: Dataset, part: str) -> Dataset:
    """The data with the named part in the place of the validation part, and no test part: what scores is what a study
    looks at."""
    if isinstance(data, CorpusDataset):
        nothing = data.corpora["test"][:0]
        return data.with_corpora({**data.corpora, "validation": data.corpora[part], "test": nothing})
    if not isinstance(data, MemoryDataset):
        return replace(data, sizes={**data.sizes, "test": 0})
    train, sizes = data.sizes["train"], data.sizes
    first = train if part == "validation" else train + sizes["validation"]
    rows = torch.cat([torch.arange(train), torch.arange(first, first + sizes[part])])
    lines = None if data.lines is None else data.lines[rows]
    return replace(
        data, x=data.x[rows], y=data.y[rows], lines=lines, making=None, recipe=None,
        sizes={"train": train, "validation": sizes[part], "test": 0},
    )  # fmt: skip


def _recipe(ground: Trainable) -> tuple[Recipe, Builder | None]:
    if not callable(ground.net):
        return draft_recipe(ground.net, ground.data, None, ground.settings), None
    maker = builder_of(ground.net)
    base = draft_recipe(None, ground.data, None, ground.settings)
    return replace(base, net=replace(base.net, name=CUSTOM, options={"class": maker.__name__})), maker


def _cell(base: Recipe, rate: float | None, maker: Builder | None) -> Cell:
    if rate is None:
        return Cell({}, base, maker)
    return Cell({RATE: rate}, replace(base, optim=replace(base.optim, lr=rate)), maker)


def carry_out(place: StudyFolder, plan: Plan, cluster: object = None) -> None:
    """Train what the study in `place` still lacks. Interrupted after Ctrl-C."""
    history = StudyHistory.read(place.journal)
    done = frozenset(MemberKey(dict(one.factors), one.seed, one.fold).key for one in history.members)
    if len(done) == plan.members:
        return
    make_folder(place.path)
    with (
        Journal(place.journal) as journal,
        Interrupt(str(place.path)) as interrupt,
        preserved_randomness(),
        choosing(Choices(history.choices)),
        connected(cluster, lambda fault: None) as reached,
    ):
        take_turn(place.design)
        journal.add(StudyBegan(members=plan.members, seeds=tuple(plan.seeds), failed=(), loading=0.0, version=VERSION))
        failures: list[str] = []

        def tell(record: Record) -> None:
            if not isinstance(record, MemberDone):
                failures.append(str(getattr(record, "reason", "")))
            beside.write(record)

        beside = Beside(journal, place.stacks, plan.members, None, lambda fault: None, lambda: interrupt.asked)
        order = Order(
            plan, done, place.members, tell, lambda: interrupt.asked, jobs=1, before=history.seeds, beside=beside,
            cluster=None if reached is None else StudyCluster(reached, lambda fault: None),
        )  # fmt: skip
        whole = order.carry_out(lambda group, members: None)
        journal.add(TrainingsDone(seconds=0.0))
        journal.sync()
        if not whole:
            raise Interrupted(str(place.path), saved=True)
        beside.over()
    if failures:
        raise UserError(Fault("claims.training-failed", {"reason": failures[0]}))


def _trials(place: StudyFolder, plan: Plan) -> dict[float | None, list[Training]]:
    history = StudyHistory.read(place.journal)
    courses: dict[str, tuple[list[int], list[float | None], dict[str, list[float | None]]]] = {}
    for stack in history.curves:
        for column, (combination, seed, fold) in enumerate(stack.members):
            key = MemberKey(dict(stack.combinations[combination]), seed, fold).key
            judged = {
                name: [None if row is None else row[column] for row in rows] for name, rows in stack.validation.items()
            }
            courses[key] = list(stack.epochs), [row[column] for row in stack.train], judged
    found: dict[float | None, dict[int, Training]] = {}
    steps = {_rate(one.cell.factors): one.setup.horizon.steps_per_epoch for one in plan.planned}
    for one in history.members:
        rate = _rate(one.factors)
        epochs, train, judged = courses.get(MemberKey(dict(one.factors), one.seed, one.fold).key, ([], [], {}))
        diverged = max(1, one.diverged_at) if one.diverged else 0
        losses = judged.get("loss", [None] * len(epochs))
        trial = Training(one.seed, rate, dict(one.score), epochs, train, losses, steps[rate], diverged, judged)
        found.setdefault(rate, {})[one.seed] = trial
    return {rate: [trials[seed] for seed in plan.seeds] for rate, trials in found.items()}


def _rate(factors: Mapping[str, Any]) -> float | None:
    return factors.get(RATE)
