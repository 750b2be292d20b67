"""A first try with arrays: they train as tables do, what is standardised is told, and tokens are left alone."""

from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch
from sklearn.datasets import load_wine
from torch import nn

import danlu
from danlu.run.settings.draft import draft_recipe
from danlu.study.plan import make_plan


def test_daily_temperatures_do_not_explode(data_root: Path, tmp_path: Path) -> None:
    days = polars.read_csv(data_root / "daily-min-temperatures.csv")["Temp"].to_numpy().astype("float32")
    windows = numpy.lib.stride_tricks.sliding_window_view(days, 15)
    run = danlu.fit("mlp", (windows[:, :14], windows[:, 14]), epochs=3, folder=tmp_path / "run", progress=False)
    assert run.score["test"]["r2"] > 0.5
    assert run.score["test"]["rmse"] < 3  # degrees
    assert run.recipe.data.standardise is True
    assert run.predict(windows[:5, :14]) == pytest.approx(windows[:5, 14], abs=12)


def test_boston_as_arrays_is_boston_as_a_table(data_root: Path, tmp_path: Path) -> None:
    frame = polars.read_csv(data_root / "boston.csv")
    x, y = frame.drop("y").to_numpy(), frame["y"].to_numpy()
    arrays = danlu.fit("mlp", (x, y), folder=tmp_path / "arrays", epochs=80, progress=False)
    table = danlu.fit("mlp", danlu.load(frame, target="y"), folder=tmp_path / "table", epochs=80, progress=False)
    assert arrays.score["test"]["r2"] == pytest.approx(table.score["test"]["r2"], abs=0.02)
    assert arrays.score["test"]["r2"] > 0.85


@pytest.mark.slow
def test_wine_as_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wine = load_wine()
    run = danlu.fit("mlp", (wine.data, wine.target), folder=tmp_path / "run", progress=True)  # pyright: ignore[reportAttributeAccessIssue]
    assert run.score["test"]["accuracy"] > 0.9
    assert "13 features are standardised" in capsys.readouterr().err


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(9, 4)
        self.output = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.embedding(x.long()))


@pytest.mark.parametrize("net", ["sequence-classifier", Tokens()])
@pytest.mark.parametrize("loaded", [False, True])
def test_numbers_of_tokens_reach_the_net_as_they_are(net: object, loaded: bool, tmp_path: Path) -> None:
    source = (numpy.random.default_rng(0).integers(1, 9, (80, 6)), [0, 1] * 40)
    options: dict[str, Any] = {"vocabulary": 9} if isinstance(net, str) else {}
    data = danlu.load(source) if loaded else source
    run = danlu.fit(net, data, epochs=1, folder=tmp_path / "run", progress=False, **options)
    assert run.recipe.data.standardise is False
    (x, _) = next(run.data.batches("train", 99, device=torch.device("cpu")))
    assert set(x.flatten().tolist()) <= set(range(1, 9))


def test_a_study_leaves_numbers_of_tokens_as_they_are() -> None:
    source = (numpy.random.default_rng(0).integers(1, 9, (80, 6)), [0, 1] * 40)
    recipe = draft_recipe("sequence-classifier", source, settings={"vocabulary": 9})
    plan = make_plan(recipe, {}, [0], 2, data=source)
    for fold in plan.planned[0].folds:
        (x, _) = next(fold.batches("train", 99, device=torch.device("cpu")))
        assert set(x.flatten().tolist()) <= set(range(1, 9))
