"""Which engine carries out a run; that watching changes nothing of its weights, and a resume nothing of the engine."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe
from danlu.base.seeds import preserved_randomness
from danlu.run import engines
from danlu.run import fit as fit_module
from danlu.stack import StackedEngine
from danlu.train.loop import train
from danlu.train.module_engine import ModuleEngine
from danlu.train.progress import Progress
from danlu.train.schedules import Horizon, Schedule
from danlu.watch import LossCall
from interruption import assert_same_end, interrupt_at

SETTINGS = {"epochs": 3, "batch_size": 40, "progress": False}
WAYS: list[dict[str, Any]] = [
    {"lr": 0.05, "momentum": 0.0},
    {"lr": 0.05, "optim.weight_decay": 0.001, "schedule.name": "cosine", "schedule.warmup": 5},
    {"optim.name": "adam", "optim.lr": 0.01, "clip_norm": 1.0, "ema": 0.9, "patience": 2},
    {"lr": 0.05, "optim.nesterov": True, "label_smoothing": 0.1, "clip_value": 0.1, "precision": "float64"},
    {"optim.name": "rmsprop", "optim.lr": 0.001, "loss.reduction": "sum", "schedule.name": "plateau"},
]


def mlp() -> nn.Module:
    with preserved_randomness():
        torch.manual_seed(0)
        hidden = [nn.Linear(64, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 16), nn.Tanh()]
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(16, 10))


def engine_of(run: danlu.Run) -> str:
    return json.loads((run.folder / "environment.json").read_text(encoding="utf-8"))["engine"]


def records(run: danlu.Run, kind: str) -> list[dict[str, Any]]:
    lines = (run.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def begin_with_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new runs begin as those of 0.1 did, whose environment names no engine."""
    before = fit_module.environment

    def without_engine(*arguments: Any, **settings: Any) -> dict[str, Any]:
        facts = before(*arguments, **settings)
        del facts["engine"]
        return facts

    monkeypatch.setattr(fit_module, "environment", without_engine)
    monkeypatch.setattr(fit_module, "choose_engine", lambda setup: engines.MODULE)


@pytest.mark.every(6)
@pytest.mark.parametrize("settings", WAYS, ids=str)
def test_watched_or_not_the_weights_are_the_same_bits_and_it_resumes_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    settings = SETTINGS | settings
    whole = danlu.fit(mlp(), "digits", folder=tmp_path / "whole", **settings)
    assert engine_of(whole) == "stacked"
    assert_same_end(whole, danlu.fit(mlp(), "digits", folder=tmp_path / "unwatched", watch=False, **settings))
    interrupt_at(monkeypatch, 7, 40)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit(mlp(), "digits", folder=tmp_path / "broken", **settings)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.resume(tmp_path / "broken", net=mlp(), progress=False)
    own = mlp()
    broken = danlu.resume(tmp_path / "broken", net=own, progress=False)
    assert_same_end(whole, broken)
    for name, tensor in own.state_dict().items():
        assert torch.equal(tensor, whole.net().state_dict()[name])


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.05},
        {"lr": 1e-6},
        {"lr": 300.0},
        {"loss.reduction": "sum", "lr": 0.2},
        {"clip_norm": 1e-4},
    ],
    ids=str,
)
def test_watch_finds_and_measures_what_it_would_with_the_module_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    stacked = danlu.fit(mlp(), "digits", folder=tmp_path / "stacked", **SETTINGS | settings)
    begin_with_modules(monkeypatch)
    modular = danlu.fit(mlp(), "digits", folder=tmp_path / "module", **SETTINGS | settings)
    told = [[(one.rule, one.severity, one.where, one.since) for one in run.findings] for run in (stacked, modular)]
    assert told[0] == told[1]
    layers = [records(run, "layers") for run in (stacked, modular)]
    assert [one["step"] for one in layers[0]] == [one["step"] for one in layers[1]]
    for one, other in list(zip(*layers, strict=True))[:3]:
        assert one.keys() == other.keys()
        for key in ("spread", "gradient", "update", "weight", "dead"):
            if other[key] is not None:
                wanted = [float("nan") if value is None else value for value in other[key]]
                found = [float("nan") if value is None else value for value in one[key]]
                assert found == pytest.approx(wanted, rel=0.02, abs=1e-4, nan_ok=True)


def test_the_origin_of_a_loss_that_is_not_finite_is_found_in_an_ordinary_step() -> None:
    """Also there, the net is called on the very batch, before the weights have moved."""
    x, y = torch.randn(32, 64, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 10
    bad = x.clone()
    bad[3, 5] = torch.inf
    batches = [(bad if step == 333 else x, y) for step in range(400)]
    found: list[tuple[Any, ...]] = []
    for stacked in (False, True):
        net = nn.Sequential(*list(mlp())[1:])
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        recipe = Recipe(optim=OptimRecipe(name="sgd", lr=0.01), loss=LossRecipe(name="cross-entropy"))
        schedule = Schedule(recipe.schedule, Horizon(1, 400))
        engine: Any = ModuleEngine(net, nn.functional.cross_entropy, optimizer, schedule, recipe, torch.device("cpu"))
        engine = StackedEngine(engine, recipe, (64,)) if stacked else engine
        with danlu.watch(net, optimizer, shown=False) as watch, engine, preserved_randomness():
            if stacked:
                engine.onlooker = watch.onlooker(
                    lambda z, t: LossCall("cross_entropy_loss", "classes", z.t(), t, weighted=False, summed=False)
                )
            train(engine, lambda epoch, start: batches, lambda: None, Progress(1, 400), [])
        measured = watch.measured
        found.append(
            (
                measured.nonfinite_at,
                measured.nonfinite_where,
                measured.nonfinite_what,
                measured.inputs.nonfinite_since,
                measured.step,
                measured.loss.count,
                measured.labels.counts,
                measured.samples_seen,
            )
        )
    assert found[0][:4] == (334, found[0][1], "input", 334)
    assert found[0] == found[1]


def test_a_run_of_an_earlier_danlu_goes_on_with_the_module_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        begin_with_modules(earlier)
        whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", **SETTINGS)
        interrupt_at(earlier, 40)
        with pytest.raises(danlu.Interrupted, match="broken"):
            danlu.fit("mlp", "digits", folder=tmp_path / "broken", **SETTINGS)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


@pytest.mark.every(2)
@pytest.mark.parametrize("modular", [False, True], ids=["stacked", "module"])
def test_without_its_environment_a_run_goes_on_with_the_engine_of_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modular: bool
) -> None:
    with monkeypatch.context() as patch:
        if modular:
            begin_with_modules(patch)
        whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", **SETTINGS)
        interrupt_at(patch, 40)
        with pytest.raises(danlu.Interrupted, match="broken"):
            danlu.fit("mlp", "digits", folder=tmp_path / "broken", **SETTINGS)
    (tmp_path / "broken" / "environment.json").unlink()
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


def test_a_net_with_hooks_is_refused_by_a_run_that_would_not_call_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(monkeypatch, 40)
    with pytest.raises(danlu.Interrupted, match="run"):
        danlu.fit(mlp(), "digits", folder=tmp_path / "run", **SETTINGS)
    hooked = mlp()
    calls: list[object] = []
    hooked.register_forward_hook(lambda *_: calls.append(None))
    with pytest.raises(danlu.UserError, match="hooks"):
        danlu.resume(tmp_path / "run", net=hooked, progress=False)
    again = danlu.fit(hooked, "digits", folder=tmp_path / "heard", **SETTINGS)
    assert engine_of(again) == "module"
    assert len(calls) >= again.steps
    assert danlu.resume(tmp_path / "run", net=mlp(), progress=False).finished


def test_other_nets_have_the_module_engine(tmp_path: Path) -> None:
    for number, (net, data) in enumerate([("lenet5", "digits"), ("mlp", "digits")]):
        settings = {"net.norm": "batch"} if net == "mlp" else {}
        run = danlu.fit(net, data, folder=tmp_path / str(number), **SETTINGS | {"epochs": 1} | settings)
        assert engine_of(run) == "module"


def test_fit_inside_somebodys_watch_is_seen_by_it(tmp_path: Path) -> None:
    net = mlp()
    with danlu.watch(net, shown=False) as watch:
        run = danlu.fit(net, "digits", folder=tmp_path / "run", watch=False, **SETTINGS)
    assert engine_of(run) == "module"
    assert watch.measured.step == run.steps
