"""fit on real data, through the same call that users make."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import danlu
from danlu.train.checkpoint import load_newest


def quick(tmp_path: Path, *arguments: object, **settings: object) -> danlu.Run:
    settings = {"epochs": 2, "folder": tmp_path / "run", "progress": False} | settings
    return danlu.fit(*arguments, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "ended"), [({"epochs": 10}, (10, 790)), pytest.param({}, (51, 4029), marks=pytest.mark.slow)]
)
def test_the_main_job_reads_digits(tmp_path: Path, settings: dict[str, Any], ended: tuple[int, int]) -> None:
    run = danlu.fit(folder=tmp_path / "run", progress=False, **settings)
    assert run.score["test"]["accuracy"] >= 0.97
    assert run.finished
    assert (run.epochs, run.steps) == ended
    images, labels = load_digits(return_X_y=True)
    guessed = run.predict(images.reshape(-1, 8, 8).astype("uint8"))
    assert (guessed == labels).mean() > 0.97


@pytest.mark.slow
def test_mnist_in_two_epochs(tmp_path: Path, data_root: Path) -> None:
    run = quick(tmp_path, "lenet5", "mnist", **{"data.root": str(data_root)})
    assert run.score["test"]["accuracy"] >= 0.985


@pytest.mark.slow
def test_titanic_over_five_seeds(tmp_path: Path, data_root: Path) -> None:
    scores = [
        quick(
            tmp_path,
            "mlp",
            data_root / "titanic.csv",
            target="Survived",
            epochs=20,
            seed=seed,
            folder=tmp_path / str(seed),
        ).score["test"]["accuracy"]
        for seed in range(5)
    ]
    assert numpy.mean(scores) >= 0.78


@pytest.mark.slow
def test_california_housing_with_an_mlp(tmp_path: Path, data_root: Path) -> None:
    run = quick(
        tmp_path,
        "mlp",
        data_root / "california-housing.tgz",
        target="median_house_value",
        epochs=30,
        hidden=[128, 64],
        batch_size=128,
        lr=0.003,
        **{"optim.name": "adam"},
    )
    assert run.score["test"]["r2"] >= 0.75
    assert 30_000 < run.score["test"]["mae"] < 50_000, "errors are in dollars, the target's own unit"


def test_linear_regression_equals_sklearns(tmp_path: Path, data_root: Path) -> None:
    data = danlu.load(data_root / "california-housing.tgz", target="median_house_value")
    settings = {"optim.name": "lbfgs", "optim.tolerance_change": 1e-14, "precision": "float64"}
    run = quick(tmp_path, "linear-regression", data, epochs=20, **settings)
    parts = {}
    for part in ("train", "test"):
        batches = list(data.batches(part, 10**6, device=torch.device("cpu"), dtype=torch.float64))
        parts[part] = [tensor.numpy() for tensor in batches[0]]
    reference = LinearRegression().fit(*parts["train"]).score(*parts["test"])
    assert run.score["test"]["r2"] == pytest.approx(reference, abs=5e-4)
    assert run.steps == 20, "L-BFGS takes the whole training part as its batch"


def test_lbfgs_accumulates_over_all_samples(tmp_path: Path) -> None:
    settings = {"optim.name": "lbfgs", "validation": 0, "test": 0, "progress": False}
    x = torch.rand(31, 3, generator=torch.Generator().manual_seed(0))
    runs = [
        danlu.fit("linear-regression", (x, x.sum(1)), folder=tmp_path / str(n), epochs=1, accumulate=n, **settings)
        for n in (1, 4)
    ]
    assert [(run.steps, run.recipe.train.batch_size) for run in runs] == [(1, 31), (1, 8)]
    assert runs[1].score["train"]["loss"] == pytest.approx(runs[0].score["train"]["loss"], rel=1e-5)


def test_a_net_of_the_users_own_is_trained_in_place(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    before = net[1].weight.detach().clone()
    run = quick(tmp_path, net, "digits", epochs=5)
    assert not torch.equal(before, net[1].weight)
    assert torch.equal(net[1].weight, run.net()[1].weight)
    assert run.recipe.net.name == "custom"
    assert run.folder == tmp_path / "run"
    again = danlu.Run(run.folder)
    with pytest.raises(danlu.UserError, match=r"given as an object \(Sequential\)"):
        again.net()
    other = again.net(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    assert torch.equal(other[1].weight, net[1].weight)


def test_the_same_recipe_gives_the_same_weights(tmp_path: Path) -> None:
    def trained(place: str, **settings: object) -> torch.Tensor:
        run = quick(tmp_path, "mlp", "digits", folder=tmp_path / place, dropout=0.3, **settings)
        return next(run.net().parameters())

    first = trained("a")
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert torch.equal(first, trained("b"))
    assert torch.equal(state, torch.get_rng_state()), "the user's own random state is left as it was"
    assert not torch.equal(first, trained("c", seed=1))
    recipe = danlu.fit(recipe=tmp_path / "a" / "recipe.toml", folder=tmp_path / "d", progress=False)
    assert torch.equal(first, next(recipe.net().parameters()))


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", ["arrays", "tensors", "dataset", "loader", "frame"])
def test_many_kinds_of_data(tmp_path: Path, kind: str) -> None:
    generator = numpy.random.default_rng(0)
    x = generator.normal(size=(200, 5)).astype("float32")
    y = (x[:, 0] > 0).astype("int64")
    dataset = TensorDataset(torch.tensor(x), torch.tensor(y))
    frame = polars.DataFrame({f"c{n}": x[:, n] for n in range(5)} | {"y": y})
    given: dict[str, object] = {
        "arrays": (x, y),
        "tensors": (torch.tensor(x), torch.tensor(y)),
        "dataset": dataset,
        "loader": DataLoader(dataset, batch_size=20),
        "frame": frame,
    }
    settings = {"target": "y"} if kind == "frame" else {}
    run = quick(tmp_path, "softmax-regression", given[kind], epochs=30, lr=0.1, **settings)
    assert run.score["test"]["accuracy"] > 0.85
    questions = frame if kind == "frame" else given["tensors" if kind == "tensors" else "arrays"][0]  # type: ignore[index]
    assert numpy.mean(numpy.asarray(run.predict(questions)) == y) > 0.85


def test_a_finished_run_reads_its_weights_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = quick(tmp_path, "softmax-regression", "digits")
    images = load_digits().images.astype("uint8")
    guessed = danlu.Run(run.folder).predict(images)
    assert numpy.array_equal(run.predict(images), guessed)
    shutil.rmtree(run.folder / "checkpoints")
    assert numpy.array_equal(run.predict(images), guessed)


def test_regression_predicts_in_the_targets_unit(tmp_path: Path) -> None:
    x = numpy.linspace(-1, 1, 100, dtype="float32")[:, None]
    run = quick(tmp_path, "linear-regression", (x, 3 * x[:, 0] + 7), epochs=100, lr=0.1)
    assert run.predict(numpy.array([[0.5]], dtype="float32")).item() == pytest.approx(8.5, abs=0.01)
    assert run.score["test"]["r2"] > 0.999


def test_logistic_regression_takes_binary_cross_entropy(tmp_path: Path) -> None:
    x = numpy.random.default_rng(1).normal(size=(300, 3)).astype("float32")
    run = quick(tmp_path, "logistic-regression", (x, (x.sum(1) > 0).astype(int)), epochs=20, lr=0.1)
    assert run.recipe.loss.name == "bce"
    assert run.score["test"]["accuracy"] > 0.9
    assert set(run.predict(x[:5]).tolist()) <= {0, 1}


def test_best_weights_are_scored_when_asked_for(tmp_path: Path) -> None:
    run = quick(tmp_path, "mlp", "digits", epochs=6, lr=1.5, momentum=0.0, weights="best")
    epochs = run.history.drop_nulls("validation_loss")
    ranks = list(zip(epochs["validation_accuracy"], -epochs["validation_loss"], strict=True))
    best = ranks.index(max(ranks))
    assert best < len(ranks) - 1, "else the last would do as well"
    assert run.score["validation"]["loss"] == epochs["validation_loss"][best]
    assert run.score["train"]["loss"] == epochs["train_loss"][best]
    checkpoint = load_newest(run.folder / "checkpoints").checkpoint
    assert checkpoint is not None
    assert torch.equal(run.net().layers[0].weight, checkpoint.parts["best"]["layers.0.weight"])


def test_early_stopping_uses_the_best_weights(tmp_path: Path) -> None:
    run = quick(tmp_path, "mlp", "digits", epochs=200, lr=0.2, **{"train.patience": 2})
    assert run.finished
    assert run.epochs < 200
    history = run.history.drop_nulls("validation_accuracy")
    assert run.score["validation"]["accuracy"] == history["validation_accuracy"].max()


def test_averaged_weights_are_those_scored_and_given(tmp_path: Path) -> None:
    run = quick(tmp_path, "mlp", "digits", ema=0.99)
    checkpoint = load_newest(run.folder / "checkpoints").checkpoint
    assert checkpoint is not None
    averaged = checkpoint.parts["ema"]["module.layers.0.weight"]
    assert torch.equal(run.net().layers[0].weight, averaged)
    assert not torch.equal(averaged, checkpoint.parts["weights"]["layers.0.weight"])


def test_weights_from_a_file_are_where_training_starts(tmp_path: Path) -> None:
    first = quick(tmp_path, "softmax-regression", "digits", epochs=10)
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(first.net().state_dict(), file)
    settings = {"net.weights": str(file), "folder": tmp_path / "more"}
    second = quick(tmp_path, "softmax-regression", "digits", epochs=1, **settings)
    assert second.history["loss"][0] < 0.3 * first.history["loss"][0]


def test_weights_of_another_net_are_refused_whole(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({"layer.weight": torch.zeros(3, 64), "extra": torch.zeros(1)}, file)
    with pytest.raises(
        danlu.UserError,
        match=r"(?s)not for this net.*missing: 2.*extra",
    ):
        quick(tmp_path, "softmax-regression", "digits", **{"net.weights": str(file)})
    assert not (tmp_path / "run").exists()


def test_the_run_folder_holds_what_it_says(tmp_path: Path) -> None:
    run = quick(tmp_path, "softmax-regression", "digits")
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "checkpoints",
        "environment.json",
        "journal.jsonl",
        "package.json",
        "recipe.toml",
        "report.html",
    ]
    (checkpoint,) = (run.folder / "checkpoints").iterdir()
    assert sorted(path.name for path in checkpoint.iterdir()) == [
        "best.safetensors",
        "manifest.json",
        "optimizer.safetensors",
        "weights.safetensors",
    ]
    environment = json.loads((run.folder / "environment.json").read_text())
    assert environment["hardware"]["torch"] == torch.__version__
    assert run.history.height == run.steps == 2 * -(-1258 // 16)
    record = run.as_dict()
    assert json.loads(json.dumps(record)) == record
    assert {"run", "recipe", "epochs", "steps", "seconds", "finished", "score", "findings"} <= set(record)
    assert record["diverged"] is False
    assert record["seconds"] == pytest.approx(record["loading_seconds"] + record["training_seconds"], abs=0.01)
    assert set(record["score"]) == {"train", "validation", "test"}


def test_without_validation_or_test_part(tmp_path: Path) -> None:
    run = quick(tmp_path, "softmax-regression", "digits", validation=0, test=0)
    assert set(run.score) == {"train"}
    assert run.predict(load_digits().images[:3].astype("uint8")).shape == (3,)


def test_a_run_survives_a_change_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = danlu.fit("softmax-regression", "digits", epochs=1, folder="mine", progress=False)
    opened = danlu.Run("mine")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for one in (run, opened):
        assert one.folder == tmp_path / "mine"
        assert one.score["test"]["accuracy"] > 0.5
        assert one.net()(torch.zeros(1, 64)).shape == (1, 10)


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


@pytest.mark.every(4)
@pytest.mark.parametrize(("batch", "accumulate", "other"), [(6, 1, 7), (5, 2, 7), (10, 1, 11), (1, 1, 4)])
def test_a_last_batch_of_one_sample_is_told_beforehand(
    tmp_path: Path, language: str, batch: int, accumulate: int, other: int
) -> None:
    data = torch.rand(31, 3), torch.rand(31)
    settings = {"batch_size": batch, "accumulate": accumulate, "validation": 0, "test": 0}
    words = f"31 samples in batches of {batch} .*BatchNorm1d.*Set train.batch_size to {other}, say"
    if language == "zh":
        words = f"31 个样本按每批 {batch} 个划分.*BatchNorm1d.*train.batch_size 设为 {other}，"
    with pytest.raises(danlu.UserError, match=words):
        quick(tmp_path, normed(), data, **settings)
    assert not (tmp_path / "run").exists()
    assert quick(tmp_path, normed(), data, **(settings | {"batch_size": other, "accumulate": 1})).finished


def test_a_net_without_batch_norm_takes_a_last_batch_of_one_sample(tmp_path: Path) -> None:
    run = quick(tmp_path, nn.Linear(3, 1), (torch.rand(31, 3), torch.rand(31)), batch_size=6, validation=0, test=0)
    assert run.steps == 12


class Narrowed(nn.Linear):
    """Takes less of its input when it trains."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x[:, :2] if self.training else x)


def test_a_net_that_fails_only_in_training_is_told_beforehand(tmp_path: Path, language: str) -> None:
    words = "not in training mode.*Narrowed" if language == "en" else "在训练模式下出错.*Narrowed"
    with pytest.raises(danlu.UserError, match=words):
        quick(tmp_path, Narrowed(3, 1), (torch.rand(31, 3), torch.rand(31)))
    assert not (tmp_path / "run").exists()


@pytest.mark.every(2)
def test_a_net_of_another_structure_is_told(tmp_path: Path, language: str) -> None:
    run = quick(tmp_path, nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), "digits")
    words = "(?s)not built like the one.*1.weight" if language == "en" else "(?s)网络结构不同.*1.weight"
    with pytest.raises(danlu.UserError, match=words):
        run.net(nn.Sequential(nn.Flatten(), nn.Linear(64, 20)))
    with pytest.raises(danlu.UserError, match=words.replace("weight", "bias")):
        danlu.Run(run.folder, net=nn.Sequential(nn.Flatten(), nn.Linear(64, 10, bias=False))).net()
    words = "must be a torch.nn.Module; what was given is of the type str" if language == "en" else "实际是 str"
    with pytest.raises(danlu.UserError, match=words):
        danlu.Run(run.folder, net="mlp")
