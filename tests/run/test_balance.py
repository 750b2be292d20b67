"""Epochs in which every class comes equally often."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

import danlu
from danlu.base.seeds import balanced_order
from danlu.base.words import speaking
from danlu.run.batches import training_batches
from danlu.run.setup import set_up
from interruption import assert_same_end, interrupt_at

FEW = {"epochs": 2, "batch_size": 16, "progress": False}


def labelled(*counts: int) -> tuple[torch.Tensor, torch.Tensor]:
    """So many samples of each class."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(0)) + labels[:, None], labels


class Streamed(Dataset[Any]):
    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.ones(4) * index, int(index % 10 == 0)


@pytest.mark.parametrize("counts", [(90, 10), (50, 3, 0, 47), (7, 1, 1), (5,), (1, 1, 1)])
def test_every_class_comes_equally_often_and_a_sample_as_often_as_another_of_its_class(counts: tuple[int, ...]) -> None:
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    for epoch in range(3):
        rows = balanced_order(labels, 5, epoch)
        assert len(rows) == len(labels)
        drawn = labels[rows].bincount(minlength=len(counts))[torch.tensor(counts) > 0]
        assert int(drawn.max() - drawn.min()) <= 1
        often = rows.bincount(minlength=len(labels))
        for label in labels.unique():
            own = often[labels == label]
            assert int(own.max() - own.min()) <= 1
        assert torch.equal(rows, balanced_order(labels, 5, epoch))
    if len(labels) > 50:
        assert not torch.equal(balanced_order(labels, 5, 0), balanced_order(labels, 5, 1))
        assert not torch.equal(balanced_order(labels, 5, 0), balanced_order(labels, 6, 0))


def test_an_epoch_of_a_run_is_so_and_the_other_parts_stay_as_they_are() -> None:
    recipe = danlu.Recipe(net={"name": "mlp"}, data={"balance": "classes"}, train={"batch_size": 16, "epochs": 1})
    setup = set_up(recipe, danlu.load(labelled(180, 20)))
    whole = list(training_batches(setup.recipe, setup.data, 0, 0, setup.device, setup.dtype))
    assert torch.cat([y for _, y in whole]).bincount().tolist() == [setup.data.sizes["train"] // 2] * 2
    rest = list(training_batches(setup.recipe, setup.data, 0, 5, setup.device, setup.dtype))
    assert all(torch.equal(x, y) for x, y in zip([x for x, _ in whole[5:]], [x for x, _ in rest], strict=True))
    validation = list(setup.data.batches("validation", 16, device=setup.device))
    assert torch.cat([y for _, y in validation]).bincount().tolist() == [18, 2]
    assert setup.data.notes[-1].id == "lab.balanced"


@pytest.mark.every(2)
@pytest.mark.parametrize("stacked", [True, False])
def test_a_run_gone_on_with_ends_as_one_never_interrupted(
    stacked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def net() -> nn.Module:
        torch.manual_seed(0)
        between = [nn.ReLU()] if stacked else [nn.BatchNorm1d(6), nn.ReLU()]
        return nn.Sequential(nn.Linear(4, 6), *between, nn.Linear(6, 2))

    settings = {**FEW, "balance": "classes"}
    whole = danlu.fit(net(), labelled(180, 20), folder=tmp_path / "whole", **settings)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 12)
        with pytest.raises(danlu.Interrupted, match="cut"):
            danlu.fit(net(), labelled(180, 20), folder=tmp_path / "cut", **settings)
    assert_same_end(danlu.resume(tmp_path / "cut", net=net(), data=labelled(180, 20), progress=False), whole)
    assert not [finding.rule for finding in whole.findings]


def test_members_of_a_stack_see_the_samples_that_a_run_sees(tmp_path: Path) -> None:
    data = danlu.load(labelled(180, 20))
    study = danlu.compare(
        "mlp", data, vary={"data.balance": ["none", "classes"]}, seeds=2, folder=tmp_path / "study", progress=False,
        epochs=2, weights="last", batch_size=16,
    )  # fmt: skip
    scores = {member.factors["data.balance"]: member.score for member in study.members if member.seed == 0}
    for balance, score in scores.items():
        folder = tmp_path / balance
        alone = danlu.fit("mlp", data, folder=folder, weights="last", balance=balance, seed=0, **FEW)
        assert alone.score["validation"]["loss"] == pytest.approx(score["loss"], rel=1e-3)
    assert scores["none"]["loss"] != pytest.approx(scores["classes"]["loss"], rel=1e-2)


def test_a_picture_that_comes_several_times_is_changed_anew_each_time() -> None:
    pictures = numpy.arange(60 * 64, dtype=numpy.uint8).reshape(60, 8, 8)
    data = danlu.load((pictures, [0] * 57 + [1] * 3), augment="crop:4", validation=0, test=0).balanced()
    x, y = next(iter(data.batches("train", 60, shuffle=True, augment=True, device=torch.device("cpu"))))
    assert len(x[y == 1].unique(dim=0)) > 15


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("data", "settings", "id"),
    [
        ((labelled(9, 9)[0], labelled(9, 9)[0][:, 0]), {}, "lab.balance-needs-classes"),
        (labelled(30, 9), {"shuffle": False}, "lab.balance-needs-shuffle"),
        (Streamed(), {}, "data.balance-streamed"),
    ],
    ids=["regression", "in order", "streamed"],
)
def test_what_cannot_be_balanced_says_so(data: Any, settings: dict[str, Any], id: str, language: str) -> None:
    with speaking(language), pytest.raises(danlu.UserError, match=r"data\.balance") as caught:
        danlu.fit("mlp", data, balance="classes", **settings, **FEW)
    assert [fault.id for fault in caught.value.faults] == [id]


def test_functions_that_change_pictures_one_by_one_do_not_go_with_it() -> None:
    data = danlu.load((numpy.zeros((20, 8, 8), numpy.uint8), [0, 1] * 10), augment=lambda picture: picture)
    with pytest.raises(danlu.UserError, match="functions of your own"):
        data.balanced()
