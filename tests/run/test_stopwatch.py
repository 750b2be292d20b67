"""Where the time of a training goes: measured in some steps, told stretch by stretch, and not a bit is changed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

import danlu
from danlu.base.events import EpochDone, StepDone, TrainingStarted
from danlu.run.interrupt import Interrupted
from danlu.run.listeners import stopwatch
from danlu.run.listeners.stopwatch import Stopwatch
from danlu.store.records import Record, TimeSpent
from danlu.store.run_history import RunHistory
from interruption import assert_same_end, interrupt_at

QUICK: dict[str, Any] = {"epochs": 2, "batch_size": 50, "progress": False}
NOTHING = torch.zeros(())


class Clock:
    """A time that passes only where it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.computed = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.computed


class Engine:
    """An engine of which every call takes its own time; the update calls forward once more, as a line search does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def _take(self, seconds: float) -> None:
        self._clock.now += seconds
        self._clock.computed += 2 * seconds

    def begin(self, step: int) -> None:
        self._take(0.01)

    def forward(self, inputs: object) -> None:
        self._take(0.2)

    def loss(self, outputs: object, targets: object) -> None:
        self._take(0.1)

    def backward(self, loss: object) -> None:
        self._take(0.4)

    def clip(self) -> None:
        self._take(0.02)

    def update(self) -> None:
        self._take(0.07)
        self.forward(None)


def say_nothing(*_: object) -> None:
    """What stands for a method that measures nothing."""


def step_of(engine: Engine) -> None:
    engine.begin(0)
    engine.forward(0)
    engine.loss(0, 0)
    engine.backward(0)
    engine.clip()
    engine.update()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", clock)
    return clock


def told_of(
    clock: Clock, steps: int, *, saving: float = 0.0, validation: float = 0.0
) -> tuple[Engine, list[TimeSpent]]:
    """What is written of an epoch of so many steps, each after half a second of waiting for its batch."""
    told: list[Record] = []
    engine, saved = Engine(clock), SimpleNamespace(saving=0.0)
    journal = SimpleNamespace(write=told.append)
    watch = Stopwatch(cast(Any, engine), cast(Any, journal), cast(Any, saved), torch.device("cpu"))
    watch(TrainingStarted(0, 0, 1, steps))
    for step in range(1, steps + 1):
        clock.now += 0.5
        step_of(engine)
        clock.now += saving
        saved.saving += saving
        watch(StepDone(1, step, NOTHING, 0.1, None, 8))

    def score() -> None:
        clock.now += validation

    watch.scoring(score)()
    watch(EpochDone(1, steps, {"loss": 1.0}, None, best=False))
    watch.end()
    return engine, [one for one in told if isinstance(one, TimeSpent)]


def test_what_was_measured_of_some_steps_stands_for_all(clock: Clock) -> None:
    engine, told = told_of(clock, 40, saving=0.3, validation=2.0)
    of_all = {
        part: sum(getattr(one, part) for one in told)
        for part in ("data", "forward", "backward", "update", "validation", "saving", "seconds", "processor")
    }
    assert of_all == pytest.approx(
        {
            "data": 20.0, "forward": 12.0, "backward": 16.0, "update": 12.0, "validation": 2.0, "saving": 12.0,
            "seconds": 40 * 1.8 + 2.0, "processor": 80.0,
        }, rel=0.02,
    )  # fmt: skip
    assert not set(vars(engine)) & set(stopwatch.CALLS), "its calls are its own again"
    assert told[-1].step == 40
    assert all(one.memory > 0 for one in told)


def test_lines_come_at_longer_and_longer_distances(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stopwatch.EVERY, "cpu", 1)
    monkeypatch.setattr(stopwatch, "_LINES", 5)
    lengths = [round(one.seconds, 1) for one in told_of(clock, 100)[1]]
    assert lengths[:5] == [3.0] + [1.5] * 4, "the first waits for a step that was timed"
    assert lengths[5:10] == [3.0] * 5
    assert lengths[10:15] == [4.5] * 5, "three steps, which are more than four seconds"


def test_a_training_of_one_step_says_how_long_it_took(clock: Clock) -> None:
    _, (told,) = told_of(clock, 1)
    assert told.seconds == 1.5
    assert told.forward == 0.0, "the first step, which gets ready, is not what the others take"


@pytest.mark.every(2)
@pytest.mark.parametrize("net", ["mlp", "lenet5"])
def test_the_training_does_not_notice(net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = danlu.load("digits", samples=500)
    timed = danlu.fit(net, data, folder=tmp_path / "timed", **QUICK)
    monkeypatch.setattr(Stopwatch, "__call__", say_nothing)
    monkeypatch.setattr(Stopwatch, "end", say_nothing)
    plain = danlu.fit(net, data, folder=tmp_path / "plain", **QUICK)
    assert_same_end(timed, plain)
    assert "time" not in plain.as_dict()
    told = timed.as_dict()["time"]
    assert min(told[part] for part in ("data", "forward", "backward", "update", "validation", "saving")) > 0
    assert told["memory_bytes"] > 2**20


def test_an_interrupted_training_goes_on_measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 7)
    with pytest.raises(Interrupted, match="run"):
        danlu.fit("mlp", "digits", folder=tmp_path / "run", **QUICK)
    first = RunHistory.read(tmp_path / "run" / "journal.jsonl").time
    assert [one.step for one in first] == [7]
    whole = danlu.resume(tmp_path / "run", progress=False)
    steps = [one.step for one in RunHistory.read(tmp_path / "run" / "journal.jsonl").time]
    assert steps == [7, whole.steps]
