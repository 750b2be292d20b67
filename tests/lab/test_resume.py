"""Exact resume through the public calls; the harness that kills processes is benchmarks/kills.py, tried below."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.base.events import EpochDone
from danlu.base.strict_json import to_json
from danlu.train.checkpoint import load_newest
from danlu.train.optimisers import OPTIMISERS
from interruption import assert_same_end, interrupt_at

SETTINGS = {
    "epochs": 3,
    "batch_size": 40,
    "dropout": 0.4,
    "ema": 0.9,
    "clip_norm": 1.0,
    "progress": False,
    "optim.name": "adam",
    "optim.lr": 0.01,
    "schedule.name": "plateau",
    "schedule.patience": 0,
}


@pytest.mark.every(4)
@pytest.mark.parametrize(
    "moments",
    [(1,), (17,), (32,), (33,), (95,), (96,), (5, 31, 32, 64, 90)],
    ids=["first-step", "mid-epoch", "before-validation", "after-validation", "last-but-one", "last", "chain-of-five"],
)
def test_interrupted_and_resumed_ends_bit_identical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moments: tuple[int, ...]
) -> None:
    whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", **SETTINGS)
    assert whole.steps == 96
    interrupt_at(monkeypatch, *moments)
    with pytest.raises(danlu.Interrupted, match="broken") as stopped:
        danlu.fit("mlp", "digits", folder=tmp_path / "broken", **SETTINGS)
    for moment in moments[1:]:
        assert not danlu.Run(stopped.value.folder).finished
        with pytest.raises(danlu.Interrupted, match="broken"):
            danlu.resume(stopped.value.folder, progress=False)
        assert danlu.Run(stopped.value.folder).steps == moment
    broken = danlu.resume(stopped.value.folder, progress=False)
    assert_same_end(whole, broken)


@pytest.mark.every(6)
@pytest.mark.parametrize("name", sorted(set(OPTIMISERS) - {"sparse-adam", "muon", "lbfgs"}))
def test_every_optimiser_goes_on_exactly_in_float64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    settings = {"epochs": 2, "batch_size": 100, "precision": "float64", "optim.name": name, "progress": False}
    whole = danlu.fit("softmax-regression", "digits", folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 5)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("softmax-regression", "digits", folder=tmp_path / "broken", **settings)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


DRAWS: dict[str, Callable[[], float]] = {
    "torch": lambda: float(torch.rand(())),
    "python": random.random,
    "numpy": numpy.random.random_sample,
}


class Noisy(nn.Module):
    """Draws in training and in evaluation, from the generator `kind`."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.draw = DRAWS[kind]
        with torch.no_grad():
            self.linear.weight.zero_()
            self.linear.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.flatten(1) * (0.5 + self.draw()))


@pytest.mark.every(8)
@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("moments", [(5,), (33, "validation", 90)], ids=str)
def test_a_net_that_draws_also_in_evaluation_goes_on_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, moments: tuple[int | str, ...]
) -> None:
    settings = {"epochs": 3, "batch_size": 40, "progress": False, "lr": 0.05, "train.weights": "best"}
    states = random.getstate(), numpy.random.get_state()
    whole = danlu.fit(Noisy(kind), "digits", folder=tmp_path / "whole", **settings)
    assert random.getstate() == states[0], "the user's own random state is left as it was"
    assert numpy.array_equal(numpy.random.get_state()[1], states[1][1])
    random.seed(99)
    numpy.random.seed(99)
    torch.manual_seed(99)
    interrupt_at(monkeypatch, *moments)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit(Noisy(kind), "digits", folder=tmp_path / "broken", **settings)
    for _ in moments[1:]:
        with pytest.raises(danlu.Interrupted, match="broken"):
            danlu.resume(tmp_path / "broken", net=Noisy(kind), progress=False)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", net=Noisy(kind), progress=False))


def test_interrupted_while_validating(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", **SETTINGS)
    interrupt_at(monkeypatch, "validation")
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("mlp", "digits", folder=tmp_path / "broken", **SETTINGS)
    checkpoint = load_newest(tmp_path / "broken" / "checkpoints").checkpoint
    assert checkpoint is not None
    assert checkpoint.state["progress"]["batch"] == 32
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


def test_a_net_given_as_an_object_goes_on_from_its_own_initial_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))

    first = net()
    twin = net()
    twin.load_state_dict(first.state_dict())
    settings = {"epochs": 2, "progress": False}
    whole = danlu.fit(first, "digits", folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 25)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit(twin, "digits", folder=tmp_path / "broken", **settings)
    with pytest.raises(danlu.UserError, match=r"danlu\.resume\(folder, net=Sequential"):
        danlu.resume(tmp_path / "broken", progress=False)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", net=net(), progress=False))


@pytest.mark.every(2)
@pytest.mark.parametrize("progress", [True, False])
def test_a_damaged_checkpoint_is_passed_over_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], progress: bool
) -> None:
    settings = SETTINGS | {"checkpoint_steps": 10}
    whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 45)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("mlp", "digits", folder=tmp_path / "broken", **settings)
    weights = tmp_path / "broken" / "checkpoints" / "step-00000045" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    broken = danlu.resume(tmp_path / "broken", progress=progress)
    told = capsys.readouterr().err
    assert "step-00000045" in told
    assert "weights.safetensors" in told
    assert_same_end(whole, broken)


def test_a_finished_run_comes_back_as_it_is(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "digits", folder=tmp_path / "run", **SETTINGS)
    journal = (run.folder / "journal.jsonl").read_bytes()
    assert danlu.resume(run.folder).score == run.score
    assert (run.folder / "journal.jsonl").read_bytes() == journal


def test_other_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = torch.randn(200, 4), torch.arange(200) % 3
    interrupt_at(monkeypatch, 5)
    with pytest.raises(danlu.Interrupted, match="run"):
        danlu.fit("softmax-regression", (x, y), folder=tmp_path / "run", epochs=3, progress=False)
    with pytest.raises(danlu.UserError, match="given as an object"):
        danlu.resume(tmp_path / "run")
    with pytest.raises(danlu.UserError, match="no longer the one this run began with"):
        danlu.resume(tmp_path / "run", data=(x + 1, y))
    assert danlu.resume(tmp_path / "run", data=(x, y), progress=False).finished


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sabotage", "code", "engine", "kills"),
    [
        ("none", 0, "module", "8"),
        ("none", 0, "stacked", "8"),
        ("none", 0, "further", "8"),
        ("none", 0, "tasks", "2"),
        ("order", 1, "stacked", "5"),
        ("order", 1, "several-inputs", "5"),
    ],
)
def test_the_kill_harness(sabotage: str, code: int, engine: str, kills: str) -> None:
    """A few kills in every test run (`make kills` makes a thousand); and the harness goes red when resume is broken."""
    script = Path(__file__).parents[2] / "benchmarks" / "kills.py"
    command = [sys.executable, str(script), "--kills", kills, "--sabotage", sabotage, "--engine", engine]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    assert f"{kills} kills" in done.stdout


def test_events_can_be_written_as_json() -> None:
    event = EpochDone(epoch=1, step=2, train={"loss": float("nan")}, validation=None, best=False)
    assert '"NaN"' in to_json(vars(event))
