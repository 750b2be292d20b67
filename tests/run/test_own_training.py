"""An optimiser and a schedule of the user's own: what they train, what a resume asks for, what is said of mistakes."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim import lr_scheduler as schedulers

import danlu
from danlu.base.words import speaking
from interruption import assert_same_end, interrupt_at

FEW: dict[str, Any] = {"epochs": 3, "batch_size": 16, "progress": False}


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 2
    return torch.randn(120, 4, generator=generator) + labels[:, None], labels


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def adam(parameters: Any) -> Optimizer:
    return Adam(parameters, lr=0.01)


def other(parameters: Any) -> Optimizer:
    return Adam(parameters, lr=0.02)


def halved(optimizer: Optimizer) -> Any:
    return schedulers.StepLR(optimizer, 1, gamma=0.5)


def cycle(optimizer: Optimizer) -> Any:
    return schedulers.OneCycleLR(optimizer, 0.05, total_steps=20)


def warmed(optimizer: Optimizer) -> Any:
    first = schedulers.LinearLR(optimizer, 0.1, total_iters=5)
    return schedulers.SequentialLR(optimizer, [first, schedulers.CosineAnnealingLR(optimizer, 10)], milestones=[5])


def on_plateau(optimizer: Optimizer) -> Any:
    return schedulers.ReduceLROnPlateau(optimizer, patience=0, threshold=1e9)


def weighed(optimizer: Optimizer) -> Any:
    return schedulers.LambdaLR(optimizer, lambda epoch: 0.9**epoch)


Parts = dict[str, Any]
MADE: dict[str, tuple[Any, dict[str, Any], list[float]]] = {
    "optimizer": (lambda _: {"optimizer": adam}, {}, [0.01, 0.01, 0.01]),
    "optimizer by its class": (lambda _: {"optimizer": partial(SGD, lr=0.1)}, {}, [0.1, 0.1, 0.1]),
    "optimizer as an object": (lambda model: {"optimizer": Adam(model.parameters(), lr=0.01)}, {}, [0.01] * 3),
    "schedule": (lambda _: {"schedule": halved}, {}, [0.01, 0.005, 0.0025]),
    "schedule by the step": (
        lambda _: {"schedule": halved},
        {"schedule.per": "step"},
        [0.01, 0.01 / 2**6, 0.01 / 2**12],
    ),
    "both": (lambda _: {"optimizer": adam, "schedule": cycle}, {}, [0.002, 0.05, 0.025]),
    "sequential": (lambda _: {"schedule": warmed}, {"schedule.per": "step"}, [0.001, 0.0097, 0.00206]),
    "plateau": (lambda _: {"schedule": on_plateau}, {}, [0.01, 0.001, 0.0001]),
    "lambda": (lambda _: {"schedule": weighed}, {}, [0.01, 0.009, 0.0081]),
}


def both_objects(model: nn.Module) -> Parts:
    optimizer = SGD(model.parameters(), 0.1, momentum=0.9)
    return {"optimizer": optimizer, "schedule": halved(optimizer)}


MADE["both as objects"] = (both_objects, {}, [0.1, 0.05, 0.025])


@pytest.mark.every(6)
@pytest.mark.parametrize("made", MADE)
def test_it_trains_and_a_run_cut_short_ends_the_same(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, settings, rates = MADE[made]
    model = net()
    whole = danlu.fit(model, data(), folder=tmp_path / "whole", **make(model), **settings, **FEW)
    steps = whole.steps // 3
    assert whole.history["lr"].to_list()[::steps] == pytest.approx(rates, rel=0.1)
    for moment in (2, steps, steps + 3):
        folder = tmp_path / f"cut-{moment}"
        with monkeypatch.context() as patch:
            interrupt_at(patch, moment)
            model = net()
            with pytest.raises(danlu.Interrupted, match="cut"):
                danlu.fit(model, data(), folder=folder, **make(model), **settings, **FEW)
        model = net()
        assert_same_end(danlu.resume(folder, net=model, data=data(), progress=False, **make(model)), whole)


def test_it_trains_as_danlus_own_does(tmp_path: Path) -> None:
    named = danlu.fit(net(), data(), optim={"name": "adam", "lr": 0.01}, folder=tmp_path / "named", **FEW)
    mine = danlu.fit(net(), data(), optimizer=adam, folder=tmp_path / "mine", **FEW)
    assert mine.score["test"]["loss"] == pytest.approx(named.score["test"]["loss"], rel=1e-3)
    assert (mine.recipe.optim.name, mine.recipe.optim.lr) == ("custom", 0.01)
    plain = danlu.fit(
        net(), data(), lr=0.01, schedule={"name": "step", "every": 1, "gamma": 0.5}, folder=tmp_path / "p", **FEW
    )
    own = danlu.fit(net(), data(), lr=0.01, scheduler=halved, folder=tmp_path / "own", **FEW)
    assert own.score == plain.score
    assert own.recipe.schedule.per == "epoch"


def test_a_resume_wants_the_same_and_going_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(danlu.Interrupted, match="cut"):
            danlu.fit(net(), data(), folder=tmp_path / "cut", optimizer=adam, schedule=halved, **FEW)
    kept = json.loads((tmp_path / "cut" / "environment.json").read_text(encoding="utf-8"))
    assert (kept["optimizer"]["name"], kept["schedule"]["name"], kept["engine"]) == ("adam", "halved", "module")
    refused: list[tuple[Parts, str, str]] = [
        ({}, "is trained by the optimizer adam, which no recipe", "使用自己的 optimizer（adam）"),
        ({"optimizer": other, "schedule": halved}, "another optimizer than this other", "开始时用的 optimizer"),
        ({"optimizer": adam}, "is trained by the schedule halved", "使用自己的 schedule（halved）"),
        ({"optimizer": adam, "schedule": cycle}, "another schedule than this cycle", "开始时用的 schedule"),
        (
            {"optimizer": adam, "schedule": halved, "loss": nn.CrossEntropyLoss()},
            "not trained by a loss of your own",
            "loss",
        ),
    ]
    for given, english, chinese in refused:
        with pytest.raises(danlu.UserError, match=english) as caught:
            danlu.resume(tmp_path / "cut", net=net(), data=data(), progress=False, **given)
        with speaking("zh"):
            assert chinese in str(caught.value)
    run = danlu.resume(tmp_path / "cut", net=net(), data=data(), optimizer=adam, schedule=halved, progress=False)
    with pytest.raises(danlu.UserError, match="has a schedule of its own making"):
        run.fit(epochs="+1", optimizer=adam, folder=tmp_path / "no", progress=False)
    whole = danlu.fit(net(), data(), folder=tmp_path / "whole", optimizer=adam, **{**FEW, "epochs": 5})
    half = danlu.fit(net(), data(), folder=tmp_path / "half", optimizer=adam, **FEW)
    assert_same_end(half.fit(epochs="+2", optimizer=adam, folder=tmp_path / "further", progress=False), whole)


def fails(parameters: Any) -> Optimizer:
    return Adam(parameters, learning_rate=1)  # pyright: ignore[reportCallIssue]


STRANGE = SGD(net().parameters(), 0.1)
MISTAKES: dict[str, tuple[Parts, str, str]] = {
    "a number": ({"optimizer": 3}, "optimizer is a name, a function of the parameters", "而不是 int"),
    "a schedule of a number": ({"schedule": 0.1}, "schedule is a name, a function of the optimizer", "而不是 float"),
    "of another net": ({"optimizer": STRANGE}, "SGD holds 6 of 6 parameters that this net does not have", "6 个不属于"),
    "of another optimizer": ({"schedule": halved(STRANGE)}, "StepLR moves another optimizer", "不是训练所用的优化器"),
    "a list": ({"optimizer": list}, "makes a list; it must make a torch.optim", "list"),
    "no scheduler": ({"schedule": lambda optimizer: optimizer}, "it must make a scheduler", "返回的是 SGD"),
    "an error": ({"optimizer": fails}, "The optimizer fails fails: .*unexpected keyword", "optimizer fails 出错"),
    "many losses a step": (
        {"optimizer": torch.optim.LBFGS},
        'evaluates the loss several times a step. Write optim="lbfgs"',
        "每一步要多次计算损失",
    ),
    "a rate beside": ({"optimizer": adam, "lr": 0.1}, "takes no optim.lr of the recipe", "不使用配方中的 optim.lr"),
    "a warm-up beside": ({"schedule": halved, "warmup": 5}, "takes no schedule.warmup", "schedule.warmup"),
    "a name that stands for it": (
        {"optim": "custom"},
        "optim.name is custom, which stands for an object",
        "optimizer=…",
    ),
    "another that does": ({"schedule": "custom"}, "schedule.name is custom", "schedule=…"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, tmp_path: Path) -> None:
    given, english, chinese = MISTAKES[mistake]
    with pytest.raises(danlu.UserError, match=english) as caught:
        danlu.fit(net(), data(), folder=tmp_path / "run", **given, **FEW)
    with speaking("zh"):
        assert chinese in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_schedule_that_ends_too_early_is_told(tmp_path: Path) -> None:
    short = partial(schedulers.OneCycleLR, max_lr=0.05, total_steps=2)
    with pytest.raises(danlu.UserError, match="OneCycleLR fails at step 3: Tried to step") as caught:
        danlu.fit(net(), data(), schedule=short, folder=tmp_path / "run", **FEW)
    with speaking("zh"):
        assert "按步更新时出错" in str(caught.value)


def test_only_fit_takes_them(tmp_path: Path) -> None:
    for given, said in (({"optimizer": adam}, "is for danlu.fit, optimizer="), ({"schedule": halved}, "schedule=…")):
        with pytest.raises(danlu.UserError, match=said):
            danlu.compare("mlp", data(), vary={"hidden": [2, 3]}, folder=tmp_path / "study", **given)
        with pytest.raises(danlu.UserError, match=said):
            danlu.check("mlp", data(), **given)
    with pytest.raises(danlu.UserError, match="which stands for an object"):
        danlu.check("mlp", data(), **{"schedule.name": "custom"})


@pytest.mark.parametrize("key", ["loss.name", "optim.name", "schedule.name"])
@pytest.mark.parametrize(
    "verb",
    [
        partial(danlu.fit, progress=False),
        danlu.check,
        partial(danlu.compare, vary={"lr": [0.1, 0.2]}, seeds=2, progress=False),
        partial(danlu.search, space={"lr": (1e-3, 1e-1)}, trainings=2, progress=False),
    ],
    ids=["fit", "check", "compare", "search"],
)
def test_code_that_a_recipe_wants_and_nobody_gives_is_missed_before_there_is_a_folder(
    verb: Any, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(danlu.UserError, match=r"not at hand|custom"):
        verb("mlp", "iris", epochs=1, **{key: "custom"})
    assert not [*tmp_path.iterdir()]
