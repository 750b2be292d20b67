"""What a user adds to a training: listeners that hear of it and may end it, metrics beside danlu's own."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchmetrics
from torch import Tensor

import danlu
from danlu.run.own.parts import OwnParts, own_parts

QUIET: dict[str, Any] = {"progress": False, "epochs": 3}


def top(count: int) -> Any:
    def within(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.topk(count).indices == targets[:, None]).any(1).double().mean()

    return within


def test_a_listener_hears_of_every_event_in_order(tmp_path: Path) -> None:
    heard: list[Any] = []
    run = danlu.fit("softmax-regression", "iris", listeners=[heard.append], folder=tmp_path / "run", **QUIET)
    assert isinstance(heard[0], danlu.TrainingStarted)
    steps = [event for event in heard if isinstance(event, danlu.StepDone)]
    epochs = [event for event in heard if isinstance(event, danlu.EpochDone)]
    assert [event.step for event in steps] == list(range(1, run.steps + 1))
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert isinstance(heard[-1], danlu.EpochDone)


@pytest.mark.parametrize("net", ["mlp", "softmax-regression"])
def test_listeners_and_metrics_change_no_bit(net: str, tmp_path: Path) -> None:
    plain = danlu.fit(net, "iris", folder=tmp_path / "plain", **QUIET)
    own: dict[str, Any] = {"listeners": [lambda event: None], "metrics": {"top2": top(2)}}  # pyright: ignore[reportUnknownLambdaType]
    more = danlu.fit(net, "iris", folder=tmp_path / "own", **own, **QUIET)
    for name, weight in plain.net().state_dict().items():
        assert torch.equal(weight, more.net().state_dict()[name])
    assert {key: value for key, value in more.score["test"].items() if key != "top2"} == plain.score["test"]


def test_a_listener_ends_the_training_for_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def enough(event: Any) -> danlu.Stop | None:
        return danlu.Stop("the loss is low") if isinstance(event, danlu.StepDone) and event.step == 5 else None

    run = danlu.fit("softmax-regression", "iris", listeners=[enough], folder=tmp_path / "run", **QUIET)
    assert run.finished
    assert run.steps == 5
    assert "the loss is low" in capsys.readouterr().err
    assert "accuracy" in run.score["test"]
    assert danlu.resume(run.folder).steps == 5


def test_an_error_of_a_listener_is_its_own_and_the_run_goes_on(tmp_path: Path) -> None:
    def breaks(event: Any) -> None:
        if isinstance(event, danlu.EpochDone) and event.epoch == 2:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        danlu.fit("softmax-regression", "iris", listeners=[breaks], folder=tmp_path / "run", **QUIET)
    heard: list[Any] = []
    again = danlu.resume(tmp_path / "run", listeners=[heard.append], progress=False)
    whole = danlu.fit("softmax-regression", "iris", folder=tmp_path / "whole", **QUIET)
    assert again.score["test"] == whole.score["test"]
    assert isinstance(heard[-1], danlu.EpochDone)


def test_metrics_score_the_held_out_parts(tmp_path: Path) -> None:
    counted = torchmetrics.classification.MulticlassAccuracy(num_classes=3, average="micro")
    metrics = {"top2": top(2), "counted": counted}
    run = danlu.fit("softmax-regression", "iris", metrics=metrics, folder=tmp_path / "run", **QUIET)
    for part in ("validation", "test"):
        score = run.score[part]
        assert score["counted"] == pytest.approx(score["accuracy"])
        assert score["top2"] >= score["accuracy"]
    assert "validation_top2" in run.history.columns
    assert "top2" in str(run)


def test_metrics_of_a_regression_are_in_the_targets_unit(tmp_path: Path) -> None:
    def mean_error(outputs: Tensor, targets: Tensor) -> float:
        assert outputs.shape == targets.shape == (len(targets),)
        return float((outputs - targets).abs().mean())

    run = danlu.fit("mlp", "diabetes", metrics={"mean_error": mean_error}, folder=tmp_path / "run", **QUIET)
    assert run.score["test"]["mean_error"] == pytest.approx(run.score["test"]["mae"], rel=1e-5)


def test_metrics_are_asked_for_again_by_resume(tmp_path: Path) -> None:
    def breaks(event: Any) -> None:
        if isinstance(event, danlu.EpochDone):
            raise RuntimeError("mine")

    own: dict[str, Any] = {"metrics": {"top2": top(2)}}
    with pytest.raises(RuntimeError, match="mine"):
        danlu.fit("softmax-regression", "iris", listeners=[breaks], folder=tmp_path / "run", **own, **QUIET)
    with pytest.raises(danlu.UserError, match="top2"):
        danlu.resume(tmp_path / "run", progress=False)
    assert "top2" in danlu.resume(tmp_path / "run", progress=False, **own).score["test"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"listeners": [3]}, "one is int", "其中有一项是 int"),
    ({"listeners": [dict]}, "one is dict", "其中有一项是 dict"),
    ({"metrics": ["accuracy"]}, "of the type list", "list 类型"),
    ({"metrics": {"accuracy": len}}, "'accuracy' cannot be", "'accuracy' 不能"),
    ({"metrics": {"": len}}, "'' cannot be", "'' 不能"),
    ({"metrics": {"mine": 3}}, "mine must be a function", "mine 必须"),
    ({"listeners": [lambda one, two: None]}, r"takes \(one, two\)", "参数是"),
    ({"listeners": [lambda: None]}, r"takes \(\)", "参数是"),
    ({"metrics": {"mine": lambda a, b: "high"}}, "mine must give a number", "mine 必须返回一个数"),  # pyright: ignore[reportUnknownLambdaType]
    ({"metrics": {"mine": lambda a: 1}}, "mine fails on a first batch", "mine 在第一个批次上出错"),  # pyright: ignore[reportUnknownLambdaType]
    ({"metrics": {"mine": lambda a, b: 1 / 0}}, "division by zero", "division by zero"),  # pyright: ignore[reportUnknownLambdaType]
]


@pytest.mark.parametrize(("given", "english", "chinese"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_cannot_hear_or_score_is_refused_before_anything_is_written(
    given: dict[str, Any], english: str, chinese: str, language: str, tmp_path: Path
) -> None:
    with pytest.raises(danlu.UserError, match=english if language == "en" else chinese):
        danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", **given, **QUIET)
    assert not (tmp_path / "run").exists()


def test_a_listener_that_answers_otherwise_is_told(tmp_path: Path) -> None:
    with pytest.raises(danlu.UserError, match=r"danlu\.Stop"):
        danlu.fit("softmax-regression", "iris", listeners=[lambda event: True], folder=tmp_path / "run", **QUIET)


def test_a_single_listener_is_a_list_of_one() -> None:
    assert len(own_parts(print, None).listeners) == 1  # pyright: ignore[reportArgumentType]
    assert own_parts(None, None) == OwnParts()


def test_studies_have_no_listeners(tmp_path: Path) -> None:
    study = danlu.compare("softmax-regression", "iris", vary={"lr": [0.01, 0.1]}, seeds=3, epochs=1,
                          folder=tmp_path / "study", progress=False)  # fmt: skip
    with pytest.raises(danlu.UserError, match="this is a study"):
        danlu.resume(study.folder, metrics={"top2": top(2)})
