"""The trainings of a script: each is watched, and has a run folder with its journal and its report."""

import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from danlu.base.errors import DanluError
from danlu.base.files import absolute
from danlu.base.places import shown
from danlu.base.recipe import CUSTOM, DataRecipe, NetRecipe, OptimRecipe, Recipe
from danlu.base.recipe_text import to_toml
from danlu.base.records import Finding
from danlu.base.seeds import hardware
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.run.listeners.watching import layers_measured
from danlu.run.pictures import write_run_report
from danlu.run.script.launch import UserScript
from danlu.store.new_run import NewRun
from danlu.store.records import (
    VERSION,
    FindingAppeared,
    FindingsStood,
    Record,
    RunEnded,
    RunStarted,
    RunStopped,
    StepsTaken,
)
from danlu.store.run_environment import MODULE
from danlu.store.run_folder import RunFolder, folder_stem
from danlu.train.optimisers import OPTIMISERS
from danlu.watch import Measured, Watch
from danlu.watch.everywhere import Everywhere

_BLOCK_STEPS, _BLOCK_SECONDS = 200, 0.5
CRASHED = "crashed"


class Trainings:
    """Watches all trainings of this process from now on, until `finish`. Their runs are put into `parent`, or the first
    one at `folder` and the next beside it. Where the disk refuses, the training is watched all the same."""

    def __init__(self, program: UserScript, parent: Path, folder: Path | None = None) -> None:
        self._program = program
        self._parent, self._folder = absolute(parent), absolute(folder) if folder is not None else None
        self._records: dict[int, TrainingRecord] = {}  # by id of the Watch, while it runs
        self._everywhere = Everywhere(self._begin, self._ended).__enter__()
        self._count = 0
        self.runs: list[Path] = []

    @property
    def steps(self) -> int:
        """Steps of any optimizer so far, watched or not."""
        return self._everywhere.steps

    @property
    def watches(self) -> Sequence[Watch]:
        """Of all trainings so far."""
        return self._everywhere.watches

    def finish(self, error: BaseException | None) -> None:
        """The program has ended, by `error` if not by itself."""
        self._everywhere.__exit__(type(error) if error else None, error, None)

    def _begin(self, models: Mapping[str, nn.Module], optimizers: Sequence[Any]) -> Watch:
        self._count += 1
        record = self._record(models, optimizers)
        if record is None:
            return Watch(models, list(optimizers))
        watch = Watch(models, list(optimizers), told=record.found, measured=record.measured)
        self._records[id(watch)] = record
        return watch

    def _record(self, models: Mapping[str, nn.Module], optimizers: Sequence[Any]) -> "TrainingRecord | None":
        net = "-".join(type(model).__name__ for model in models.values())
        recipe = Recipe(
            data=DataRecipe(name=CUSTOM), net=NetRecipe(name=CUSTOM, options={"class": net}), optim=_optim(optimizers)
        )
        facts = {
            "hardware": hardware(next((one.device for one in _parameters(models)), torch.device("cpu"))),
            "data": {"name": CUSTOM, "sizes": {}, "fingerprint": ""},
            "weights_given": True,
            "engine": MODULE,
            "script": {"name": self._program.name, "arguments": list(self._program.arguments)},
        }
        try:
            if self._folder is None:
                stem = folder_stem(self._program.stem, net)
                new = NewRun.named(self._parent, stem, to_toml(recipe), facts)
            else:
                path = self._folder
                path = path if self._count == 1 else path.with_name(f"{path.name}-{self._count}")
                new = NewRun.at(path, to_toml(recipe), facts)
            new.establish()
        except DanluError as error:
            tell(f"! {say('lab.run-not-kept', reason=error)}")
            return None
        self.runs.append(new.place.path)
        return TrainingRecord(new, optimizers)

    def _ended(self, watch: Watch) -> None:
        record = self._records.pop(id(watch), None)
        if record is not None:
            record.finish(watch)


class TrainingRecord:
    """What is written of one training while it runs; nothing that the disk refuses is raised."""

    def __init__(self, new: NewRun, optimizers: Sequence[Any]) -> None:
        self._new = new
        self._optimizer = weakref.ref(optimizers[0])
        self._losses: list[float] = []
        self._rates: list[float] = []
        self._written = 0  # steps
        self._written_at = self._began = time.monotonic()
        self._names: tuple[str, ...] = ()
        self._lost = False
        self._add(RunStarted(version=VERSION))

    def found(self, finding: Finding) -> None:
        """A finding is new."""
        self._add(FindingAppeared(finding=finding))

    def measured(self, measured: Measured) -> None:
        """A step was measured; from the first one on each loss is heard."""
        if measured.loss.heard is None:
            for loss in measured.loss.earliest:
                self._loss(loss)
            measured.loss.heard = self._loss
        record, self._names = layers_measured(measured, 0, self._names)
        self._add(record)

    def finish(self, watch: Watch) -> None:
        """The training has ended: its last lines and its report."""
        crashed = bool(watch.measured.crashed)
        del self._losses[max(0, watch.measured.step - self._written) :], self._rates[len(self._losses) :]
        seconds = round(time.monotonic() - self._began, 3)
        self._add(FindingsStood(findings=tuple(watch.findings)))
        last = self._written
        self._add(RunStopped(step=last, reason=CRASHED) if crashed else RunEnded(step=last, seconds=seconds, score={}))
        try:
            self._new.close()
        except DanluError as error:
            self._lose(error)
        fault = write_run_report(RunFolder(self._new.place.path))
        if fault is not None:
            tell(f"! {fault}")

    def _loss(self, loss: float) -> None:
        optimizer = self._optimizer()
        rate = optimizer.param_groups[0].get("lr", 0.0) if optimizer is not None else 0.0
        self._losses.append(loss)
        self._rates.append(float(rate))
        if len(self._losses) >= _BLOCK_STEPS or time.monotonic() - self._written_at > _BLOCK_SECONDS:
            self._add()

    def _add(self, *records: Record) -> None:
        """Write the steps so far, and then these."""
        self._written_at = time.monotonic()
        steps: list[Record] = []
        if self._losses:
            same = len(set(self._rates)) == 1
            rates = self._rates[0] if same else self._rates
            steps.append(StepsTaken(first=self._written + 1, epoch=1, loss=self._losses, lr=rates))
            self._written += len(self._losses)
            self._losses, self._rates = [], []
        if self._lost:
            return
        try:
            for record in (*steps, *records):
                self._new.journal.add(record)
            self._new.journal.flush()
        except DanluError as error:
            self._lose(error)

    def _lose(self, error: DanluError) -> None:
        if not self._lost:
            self._lost = True
            tell(f"! {say('lab.run-not-kept', reason=error)}")


def words_on(trainings: Trainings | None) -> list[str]:
    """What is said behind a program: the report of each training, or that there was none."""
    if trainings is None or not trainings.steps:
        return [say("lab.run-no-step")]
    if not trainings.watches:
        return [say("lab.run-no-model", steps=trainings.steps)]
    return [say("lab.run-report", report=shown(RunFolder(run).report), run=shown(run)) for run in trainings.runs]


def _parameters(models: Mapping[str, nn.Module]) -> list[nn.Parameter]:
    return [one for model in models.values() for one in model.parameters()]


def _optim(optimizers: Sequence[Any]) -> OptimRecipe:
    """The first optimizer with its rate, as a recipe has them, where a recipe knows it."""
    name = type(optimizers[0]).__name__.lower()
    rate = optimizers[0].param_groups[0].get("lr")
    if name not in OPTIMISERS or not isinstance(rate, float) or not rate > 0:
        return OptimRecipe()
    return OptimRecipe(name=name, lr=rate)
