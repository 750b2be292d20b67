"""What is told of data of which a class is rare."""

from pathlib import Path

import pytest
import torch

import danlu
from danlu.run.setup import set_up
from danlu.study.baselines import baseline_scores
from danlu.train.rare_class import METRICS

FEW = {"epochs": 2, "batch_size": 20, "progress": False}


def labelled(*counts: int) -> tuple[torch.Tensor, torch.Tensor]:
    """So many samples of each class, which a net can tell apart."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(0)) + labels[:, None], labels


@pytest.mark.parametrize(
    ("counts", "rare"),
    [
        ((190, 10), 1),
        ((10, 190), 0),
        ((170, 30), None),  # 15 %
        ((100, 90, 10), 2),
        ((20,) * 12, None),  # a twelfth each, and none is rare
        ((40,) * 11 + (5,), 11),
    ],
)
def test_a_class_is_rare_by_its_share_and_by_that_of_the_others(counts: tuple[int, ...], rare: int | None) -> None:
    data = danlu.load(labelled(*counts))
    assert data.rare_class == rare
    assert {fold.rare_class for fold in data.folds(3)} == {rare}


def test_a_run_tells_both_scores_only_where_a_class_is_rare(tmp_path: Path) -> None:
    rare = danlu.fit("mlp", labelled(190, 12), folder=tmp_path / "rare", **FEW)
    assert {*METRICS} <= rare.score["test"].keys()
    assert {f"validation_{name}" for name in METRICS} <= set(rare.history.columns)
    even = danlu.fit("mlp", labelled(100, 90), folder=tmp_path / "even", **FEW)
    assert not {*METRICS} & even.score["test"].keys()


def test_members_of_a_stack_and_baselines_have_them_too(tmp_path: Path) -> None:
    data = danlu.load(labelled(190, 20))
    study = danlu.compare(
        "mlp", data, vary={"lr": [0.01, 0.1]}, seeds=2, folds=2, metric="average_precision", baselines=["linear"],
        folder=tmp_path / "study", progress=False, epochs=2, weights="last",
    )  # fmt: skip
    assert all(0 <= member.score[name] <= 1 for member in study.members for name in METRICS)
    alone = danlu.fit(
        "mlp",
        next(data.folds(2)),
        folder=tmp_path / "alone",
        lr=0.1,
        weights="last",
        seed=0,
        **{**FEW, "batch_size": None},
    )
    one = next(one for one in study.members if (one.factors["optim.lr"], one.seed, one.fold) == (0.1, 0, 0))
    for name in METRICS:
        assert one.score[name] == pytest.approx(alone.score["validation"][name], abs=1e-6)


@pytest.mark.parametrize("name", ["majority", "linear", "svm", "forest"])
def test_a_baseline_is_scored_by_what_it_decides_by(name: str) -> None:
    score = baseline_scores(name, danlu.load(labelled(190, 20)), 0)
    assert (
        score["average_precision"] == pytest.approx(0.1, abs=0.02)
        if name == "majority"
        else score["average_precision"] > 0.5
    )


def test_a_study_of_even_classes_has_no_such_metric() -> None:
    with pytest.raises(danlu.UserError, match="average_precision"):
        danlu.compare("mlp", "iris", vary={"lr": [0.01, 0.1]}, metric="average_precision", progress=False)
    assert set_up(danlu.Recipe(net={"name": "mlp"}), danlu.load("iris")).data.rare_class is None
