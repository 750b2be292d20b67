"""Batches of the user's own making: the recipe says how large they are, and gradients add up over them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset, WeightedRandomSampler

import danlu
from danlu.base.words import use_language

SAMPLES = 60


class Rows(TensorDataset):
    """A class of the user's, so that it is streamed."""


class Walk(IterableDataset[Any]):
    def __init__(self, rows: Rows, *, once: bool = False) -> None:
        self.rows, self.once = rows, iter(rows) if once else None

    def __iter__(self) -> Iterator[Any]:
        return self.once or iter(self.rows)


def rows() -> Rows:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(SAMPLES, 3, generator=generator)
    return Rows(x, x.sum(1))


def loaders() -> dict[str, Any]:
    ours = {"plain": DataLoader(rows(), batch_size=7), "dropping": DataLoader(rows(), batch_size=7, drop_last=True)}
    sampler = WeightedRandomSampler([1.0] * SAMPLES, SAMPLES)
    theirs = {"sampled": DataLoader(rows(), batch_size=7, sampler=sampler), "walked": DataLoader(Walk(rows()), 7)}
    return {**ours, **theirs}


def trained(folder: Path, data: Any, **settings: Any) -> danlu.Run:
    settings = {"epochs": 2, "lr": 0.1, "momentum": 0.0, "validation": 0, "test": 0, "progress": False} | settings
    return danlu.fit("linear-regression", data, folder=folder, **settings)


@pytest.mark.every(3)
@pytest.mark.parametrize("kind", loaders())
@pytest.mark.parametrize("accumulate", [1, 3])
def test_the_recipe_tells_the_batches_that_were_trained_on(tmp_path: Path, kind: str, accumulate: int) -> None:
    run = trained(tmp_path / "run", loaders()[kind], accumulate=accumulate)
    batches = SAMPLES // 7 if kind == "dropping" else -(-SAMPLES // 7)
    assert run.recipe.train.batch_size == 7
    assert run.steps == 2 * -(-batches // accumulate)


def test_gradients_add_up_over_the_batches_of_a_loader(tmp_path: Path) -> None:
    settings = {"epochs": 3, "shuffle": False}
    loaded = trained(tmp_path / "loader", DataLoader(rows(), batch_size=7), accumulate=3, **settings)
    plain = trained(tmp_path / "plain", rows(), batch_size=7, accumulate=3, **settings)
    large = trained(tmp_path / "large", rows(), batch_size=21, **settings)
    weights = [next(run.net().parameters()) for run in (loaded, plain, large)]
    assert torch.equal(weights[0], weights[1])
    assert torch.allclose(weights[0], weights[2], atol=1e-6)
    assert loaded.history.equals(plain.history)


def test_the_only_batch_may_be_smaller_than_the_loaders(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", DataLoader(rows(), batch_size=500))
    assert (run.steps, run.recipe.train.batch_size) == (2, SAMPLES)


@pytest.mark.parametrize("kind", ["plain", "sampled"])
def test_another_batch_size_than_the_loaders_is_told(tmp_path: Path, kind: str, language: str) -> None:
    words = "train.batch_size is 8, .* batches of 7" if language == "en" else "train.batch_size 等于 8，.*每批 7 个"
    with pytest.raises(danlu.UserError, match=words):
        trained(tmp_path / "run", loaders()[kind], batch_size=8)
    assert not (tmp_path / "run").exists()


def test_data_that_make_no_step_are_told_before_there_is_a_run(tmp_path: Path) -> None:
    with pytest.raises(danlu.UserError, match="train.batch_size is 100, but there are only 60 samples"):
        trained(tmp_path / "run", DataLoader(rows(), batch_size=100, drop_last=True))
    use_language("zh")
    with pytest.raises(danlu.UserError, match="train.batch_size 等于 100，而训练样本只有 60 个"):
        trained(tmp_path / "run", DataLoader(rows(), batch_size=100, drop_last=True))
    assert not (tmp_path / "run").exists()


def test_a_loader_that_can_be_gone_through_once_only_is_told(tmp_path: Path, language: str) -> None:
    words = "gave 9 batches .* none the second time" if language == "en" else "得到 9 个批次，第二次却一个也没有"
    with pytest.raises(danlu.UserError, match=words):
        trained(tmp_path / "run", DataLoader(Walk(rows(), once=True), batch_size=7))
    assert not (tmp_path / "run").exists()
