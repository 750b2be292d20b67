"""Exact resume through the public calls; the harness that kills processes is benchmarks/kills.py, tried below."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import safetensors.torch
import torch
from torch import nn

import danlu
from danlu.base import files
from danlu.base.events import EpochDone, Event, StepDone, Stop
from danlu.base.records import to_json
from danlu.lab import fit as fit_module
from danlu.lab.interrupt import Interrupt
from danlu.store import journal, new_run
from danlu.train.checkpoint import Checkpoint, load_newest
from danlu.train.optimisers import OPTIMISERS

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


def end(run: danlu.Run) -> Checkpoint:
    checkpoint = load_newest(run.folder / "checkpoints").checkpoint
    assert checkpoint is not None
    return checkpoint


def assert_same_end(one: danlu.Run, other: danlu.Run) -> None:
    first, second = end(one), end(other)
    assert first.parts.keys() == second.parts.keys()
    for part, tensors in first.parts.items():
        for name, tensor in tensors.items():
            assert torch.equal(tensor, second.parts[part][name]), f"{part} {name}"
    states = [{key: value for key, value in state.items() if key != "seconds"} for state in (first.state, second.state)]
    assert states[0] == states[1]
    assert one.score == other.score
    assert one.history.equals(other.history)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, *moments: int | str) -> None:
    """Let Ctrl-C fall at these steps of the following trainings, one each; "validation" is in the first validation."""
    left = list(moments)

    class Planned(Interrupt):
        def __init__(self, folder: str) -> None:
            super().__init__(folder)
            self.moment = left.pop(0) if left else None

        def __call__(self, event: Event) -> Stop | None:
            if isinstance(event, StepDone) and event.step == self.moment:
                os.kill(os.getpid(), signal.SIGINT)
            if self.moment == "validation" and isinstance(event, StepDone) and event.step % 32 == 0:
                self.asked_in_validation = True
            return super().__call__(event)

        @property
        def asked(self) -> bool:
            return self._asked or (self.moment == "validation" and getattr(self, "asked_in_validation", False))

        @asked.setter
        def asked(self, value: bool) -> None:
            self._asked = value

    monkeypatch.setattr(fit_module, "Interrupt", Planned)


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


class Killed(BaseException):
    """Stands for SIGKILL: nothing tidies up after it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Let the file operation number `moment` from now be the last."""
    left = moment

    def counted(operation: Callable[..., None]) -> Callable[..., None]:
        def replacement(*arguments: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            operation(*arguments)

        return replacement

    for module in (files, new_run, journal):
        for name in ("write_file", "sync_folder", "rename"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, counted(getattr(module, name)))
    monkeypatch.setattr(new_run.NewRun, "close", lambda self: os.close(self.journal._descriptor))


def two_layers(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10))


def mlp(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return danlu.nets.MLP(inputs=64, outputs=10, hidden=[8])


@pytest.mark.parametrize("kind", ["object", "object-of-ours", "file"])
def test_killed_at_any_moment_it_goes_on_from_its_own_first_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = tmp_path / "weights.safetensors"
    make = {"object": two_layers, "object-of-ours": mlp, "file": lambda seed: "softmax-regression"}[kind]
    settings = {"epochs": 1, "batch_size": 500, "progress": False}
    if kind == "file":
        settings["net.weights"] = str(file)

    def begun(folder: Path) -> danlu.Run:
        safetensors.torch.save_file({"linear.weight": torch.ones(10, 64), "linear.bias": torch.ones(10)}, file)
        return danlu.fit(make(1), "digits", folder=folder, **settings)

    whole = begun(tmp_path / "whole")
    resumed = 0
    for moment in itertools.count(1):
        folder = tmp_path / str(moment)
        with monkeypatch.context() as patch:
            kill_at(patch, moment)
            with contextlib.suppress(Killed):
                begun(folder)
                break
        if (folder / "recipe.toml").exists():
            file.unlink(missing_ok=True)  # it is not needed again
            run = danlu.resume(folder, net=make(2) if kind == "object" else None, progress=False)
            resumed += 1
        else:
            with pytest.raises(danlu.UserError, match="no run folder|no such run"):
                danlu.resume(folder, progress=False)
            run = begun(folder)
        assert_same_end(whole, run)
    assert moment > 15
    assert resumed > 3


def test_without_any_checkpoint_first_weights_that_no_recipe_holds_are_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    interrupt_at(monkeypatch, 2)
    with pytest.raises(danlu.Interrupted, match="run"):
        danlu.fit(two_layers(1), "digits", folder=tmp_path / "run", progress=False)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    words = "no whole checkpoint is left.*cannot go on" if language == "en" else "已经没有完好的检查点.*不能继续"
    with pytest.raises(danlu.UserError, match=words):
        danlu.resume(tmp_path / "run", net=two_layers(2), progress=False)


@pytest.mark.parametrize("net", [None, "given"])
def test_a_run_without_checkpoint_starts_from_its_beginning_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: str | None
) -> None:
    settings = {"epochs": 2, "progress": False}
    whole = danlu.fit("softmax-regression", "digits", folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 2)
    with pytest.raises(danlu.Interrupted, match="run"):
        danlu.fit("softmax-regression", "digits", folder=tmp_path / "run", **settings)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    given = danlu.nets.SoftmaxRegression(inputs=64, classes=10) if net else None
    run = danlu.resume(tmp_path / "run", net=given, progress=True)
    assert "starts from its beginning" in capsys.readouterr().err
    assert_same_end(whole, run)


def test_a_damaged_checkpoint_is_passed_over_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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
    broken = danlu.resume(tmp_path / "broken", progress=True)
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


TABLE = "a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(60))


@pytest.mark.parametrize("kind", [str, Path])
def test_data_that_were_moved_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, language: str
) -> None:
    table, settings = tmp_path / "t.csv", {"target": "y", "epochs": 3, "progress": False}
    table.write_text(TABLE)
    whole = danlu.fit("softmax-regression", table, folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 5)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("softmax-regression", table, folder=tmp_path / "broken", **settings)
    moved = table.rename(tmp_path / "moved.csv")
    words = "t.csv: there is no such file.* danlu resume .*broken --data PATH"
    with pytest.raises(
        danlu.UserError, match=words if language == "en" else "t.csv：找不到.*danlu resume .*--data 路径"
    ):
        danlu.resume(tmp_path / "broken", progress=False)
    monkeypatch.chdir(tmp_path)
    run = danlu.resume(tmp_path / "broken", data=kind(moved.name), progress=False)
    assert_same_end(whole, run)
    monkeypatch.chdir("/")
    assert run.predict({"a": [1], "b": [2]}).shape == (1,), "what the data were is kept"
    again = danlu.resume(tmp_path / "broken", data=kind(moved))
    assert again.predict({"a": [1], "b": [2]}).shape == (1,), "also where the run had ended before"


def test_a_catalogues_data_that_were_moved_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_root: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mnist").symlink_to(data_root / "mnist")
    settings = {"epochs": 1, "batch_size": 6000, "progress": False, "data.root": str(tmp_path / "here")}
    interrupt_at(monkeypatch, 1)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("softmax-regression", "mnist", folder=tmp_path / "broken", **settings)
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(danlu.UserError, match=r"no such folder to look for data in .*data\.root=FOLDER"):
        danlu.resume(tmp_path / "broken", progress=False)
    assert danlu.resume(tmp_path / "broken", root=tmp_path / "there", progress=False).finished


@pytest.mark.slow
@pytest.mark.parametrize(("sabotage", "code"), [("none", 0), ("order", 1)])
def test_the_kill_harness(sabotage: str, code: int) -> None:
    """A few kills in every test run (`make kills` makes a thousand); and the harness goes red when resume is broken."""
    script = Path(__file__).parents[2] / "benchmarks" / "kills.py"
    kills = "8" if sabotage == "none" else "5"
    command = [sys.executable, str(script), "--kills", kills, "--sabotage", sabotage]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert f"{kills} kills" in done.stdout


def test_events_can_be_written_as_json() -> None:
    event = EpochDone(epoch=1, step=2, train={"loss": float("nan")}, validation=None, best=False)
    assert '"NaN"' in to_json(vars(event))
