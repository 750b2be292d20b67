"""A run whose processes hold the net in parts: what it writes is what processes with a whole net write."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo  # FSDP wants it: once here, rather than in each process
import torch.distributed.fsdp
from torch import nn

import danlu
from danlu.base.events import Event, StepDone
from danlu.base.places import OVERVIEW_VARIABLE, launched
from danlu.base.recipe import Recipe
from danlu.run.setup import set_up
from danlu.run.sharded_units import units_of
from danlu.train.checkpoint import load_newest
from danlu.train.distributed.group import joined
from several_processes import in_processes

NET = {"name": "mlp", "hidden": [16], "norm": "batch"}
BASE: dict[str, Any] = {
    "batch_size": 45, "epochs": 2, "progress": False, "precision": "float64", "optim.name": "adam", "optim.lr": 0.01,
    "clip_norm": 0.5, "ema": 0.9, "weights": "best", "checkpoint_steps": 25,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_posters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERVIEW_VARIABLE, "0")


def fitted(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    run = danlu.fit(NET, "digits", folder=folder, **{**BASE, **settings})
    return {"score": run.score, "net": {name: one.tolist() for name, one in run.net().state_dict().items()}}


def _both(folder: Path) -> list[dict[str, Any]]:
    """The same in processes that hold all, and in such that hold parts."""
    with joined(launched()):
        return [fitted(folder / "whole", {"watch": False}), fitted(folder / "parts", {"fsdp": True})]


def end(folder: Path) -> dict[str, torch.Tensor]:
    newest = load_newest(folder / "checkpoints").checkpoint
    assert newest is not None
    assert "world" not in json.dumps(newest.state)
    return {f"{part} {name}": one for part, tensors in newest.parts.items() for name, one in tensors.items()}


def assert_close(one: Path, other: Path) -> None:
    first, second = end(one), end(other)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        apart, size = float((second[name] - tensor).double().norm()), float(tensor.double().norm())
        assert apart <= 1e-6 * size + 1e-12, name  # the gradient of a bias in front of a norm is rounding alone


@pytest.mark.slow
def test_its_run_is_that_of_whole_nets(tmp_path: Path) -> None:
    told = in_processes(2, tmp_path / "meeting", _both, tmp_path)
    assert told[0] == told[1]
    whole, parts = told[0]
    assert_close(tmp_path / "whole", tmp_path / "parts")
    for part, score in whole["score"].items():
        assert parts["score"][part] == pytest.approx(score, rel=1e-6)
    answers = [danlu.Run(tmp_path / name).predict(torch.zeros(1, 1, 8, 8)) for name in ("whole", "parts")]
    assert answers[0] == answers[1]
    run = danlu.Run(tmp_path / "parts")
    assert run.findings == []
    assert run.recipe.fingerprint() == danlu.Run(tmp_path / "whole").recipe.fingerprint()
    records = [json.loads(line) for line in (tmp_path / "parts" / "journal.jsonl").read_text().splitlines()]
    seen = [record for record in records if record["kind"] == "processes"]
    assert seen
    assert all(record.get("norm") is None and len(record["loss"]) == 2 for record in seen)


def _stopped(folder: Path, scratch: Path) -> str:
    """A SIGTERM reaches the second process after step 20."""

    def ask(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 20:
            os.kill(int((scratch / "process-1").read_text()), signal.SIGTERM)

    try:
        danlu.fit(NET, "digits", folder=folder, listeners=[ask], **{**BASE, "fsdp": True})
    except KeyboardInterrupt:
        return "interrupted"
    return "finished"


def _resumed(folder: Path) -> int:
    return danlu.resume(folder, progress=False).steps


@pytest.mark.slow
@pytest.mark.parametrize("world", [1, 3])
def test_it_goes_on_in_another_number_of_processes(world: int, tmp_path: Path) -> None:
    fitted(tmp_path / "alone", {"processes": 1})
    scratch, run = tmp_path / "first", tmp_path / "run"
    assert set(in_processes(2, scratch, _stopped, run, scratch).values()) == {"interrupted"}
    newest = load_newest(run / "checkpoints").checkpoint
    assert newest is not None
    assert 20 <= newest.step < 56
    steps = {0: _resumed(run)} if world == 1 else in_processes(world, tmp_path / "second", _resumed, run)
    assert set(steps.values()) == {56}
    assert_close(tmp_path / "alone", run)
    assert danlu.Run(run).score["test"] == pytest.approx(danlu.Run(tmp_path / "alone").score["test"])


class Twice(nn.Module):
    """One entry of its list is called twice, another never."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 10)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers[3](self.layers[1](self.layers[0](self.layers[0](x.flatten(1)))))


def test_units_are_what_a_step_calls_once() -> None:
    setup = set_up(Recipe(data={"name": "digits"}), net=Twice())
    assert units_of(setup) == ("layers.1", "layers.3")
    assert all(not module._forward_pre_hooks for module in setup.net.modules())
