"""fit on every task: texts, sequences, mixtures, samples that are given back, several heads, parts that stand still."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.data.catalogue import names as data_names
from danlu.nets import names, usual_data
from danlu.run.settings.draft import draft_recipe
from danlu.run.settings.net_and_data import data_for_net
from danlu.train.checkpoint import load_newest
from interruption import assert_same_end, interrupt_at

BOOK = "it was the best of times, it was the worst of times, it was the age of wisdom\n" * 40


def quick(folder: Path, *arguments: Any, **settings: Any) -> danlu.Run:
    return danlu.fit(*arguments, **{"epochs": 2, "folder": folder, "progress": False} | settings)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_text(BOOK, encoding="utf-8")
    return path


SMALL = {"embedding": 16, "hidden": 16, "batch_size": 8, "optim.name": "adam", "optim.lr": 0.02}
STEPS = 8  # batches of 8 rows of 35 characters in an epoch of the book


def test_a_language_model_learns_a_text_and_goes_on_with_it(tmp_path: Path, book: Path) -> None:
    run = quick(tmp_path / "run", "language-model", book, epochs=12, **SMALL)
    assert run.score["test"].keys() == {"loss", "perplexity"}
    perplexities = [run.score[part]["perplexity"] for part in ("validation", "test")]
    assert max(perplexities) < 8, "the book has 23 characters"
    assert run.predict(["it was the bes", "it wa"]) == ["t", "s"]
    assert danlu.Run(run.folder).predict("the worst of time") == ["s"]


@pytest.mark.every(9)
@pytest.mark.parametrize("moments", [(1,), (STEPS - 1,), (STEPS,), (3, STEPS + 3, STEPS + 4)], ids=str)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_text_is_resumed_with_its_memory_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book: Path, moments: tuple[int, ...], cell: str
) -> None:
    settings = SMALL | {"cell": cell, "dropout": 0.2, "ema": 0.9}
    whole = quick(tmp_path / "whole", "language-model", book, **settings)
    assert whole.steps == 2 * STEPS
    interrupt_at(monkeypatch, *moments)
    with pytest.raises(danlu.Interrupted, match="broken"):
        quick(tmp_path / "broken", "language-model", book, **settings)
    checkpoint = load_newest(tmp_path / "broken" / "checkpoints").checkpoint
    assert checkpoint is not None
    assert checkpoint.parts["memory"], "the state that the next batch begins with"
    for _ in moments[1:]:
        with pytest.raises(danlu.Interrupted, match="broken"):
            danlu.resume(tmp_path / "broken", progress=False)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


@pytest.mark.every(6)
@pytest.mark.parametrize("moment", [3, 32, 33, 40, 64])
def test_frozen_parts_are_resumed_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """They thaw with the second epoch, step 32; the net given is the same object before and after the interruption."""
    settings = {
        "epochs": 3,
        "batch_size": 40,
        "freeze": ["0", "2"],
        "thaw": 2,
        "optim.name": "adam",
        "optim.rates": ["4:0.02"],
        "clip_norm": 1.0,
    }

    def net() -> nn.Module:
        torch.manual_seed(0)
        layers = (nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10))
        return nn.Sequential(*layers[1:3], nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 10)).insert(0, layers[0])

    settings["freeze"] = ["1", "2"]
    settings["optim.rates"] = ["5:0.02"]
    whole = quick(tmp_path / "whole", net(), "digits", **settings)
    interrupt_at(monkeypatch, moment)
    given = net()
    with pytest.raises(danlu.Interrupted, match="broken"):
        quick(tmp_path / "broken", given, "digits", **settings)
    assert all(weight.requires_grad for weight in given.parameters())
    assert_same_end(whole, danlu.resume(tmp_path / "broken", net=given, progress=False))


def test_a_frozen_net_is_given_back_as_it_was(tmp_path: Path) -> None:
    net = danlu.nets.MLP(64, 10, hidden=(16, 8))
    before = net.layers[0].weight.detach().clone()
    quick(tmp_path / "first", net, "digits", freeze="layers.0")
    assert torch.equal(net.layers[0].weight, before)
    quick(tmp_path / "second", net, "digits")
    assert not torch.equal(net.layers[0].weight, before)


def test_a_mixture_is_trained_by_its_likelihood_and_scored_by_its_mean(tmp_path: Path) -> None:
    run = quick(tmp_path / "run", "mixture-density", "diabetes", epochs=20)
    assert run.recipe.loss.name == "mixture-nll"
    assert run.score["test"]["r2"] > 0.2
    data = danlu.load("diabetes")
    x, y = next(data.batches("test", 5, device=torch.device("cpu")))
    assert run.net()(x).shape == (5, 5, 3)
    assert y.shape == (5, 1)


@pytest.mark.slow
def test_an_autoencoder_gives_the_digits_back(tmp_path: Path) -> None:
    run = quick(tmp_path / "run", "autoencoder", epochs=10, **{"optim.name": "adam"})
    assert run.recipe.data.task == "reconstruction"
    assert run.score["test"]["rmse"] < 0.25, "the mean picture alone: 0.28"
    again = quick(tmp_path / "again", "autoencoder", danlu.load("digits"), epochs=10, **{"optim.name": "adam"})
    assert again.score == run.score


def test_sequences_are_told_apart_and_names_are_predicted(tmp_path: Path) -> None:
    words = ["abba", "baab", "aabbab", "b", "ab"] * 20 + ["xyzz", "zyx", "y", "zxyx", "xx"] * 20
    labels = ["first"] * 100 + ["second"] * 100
    run = quick(tmp_path / "run", "sequence-classifier", (words, labels), hidden=8, embedding=8, epochs=8)
    assert run.score["test"]["accuracy"] == 1.0
    assert run.predict(["ba", "zyzyzyzyzyzyzyzyz"]).tolist() == ["first", "second"]


def test_whole_numbers_in_an_array_are_tokens_where_the_net_takes_such(tmp_path: Path) -> None:
    x = torch.arange(200 * 6).reshape(200, 6) % 11 + 1
    y = x[:, -1] % 2
    settings = {"vocabulary": 12, "hidden": 16, "embedding": 16, "optim.name": "adam", "optim.lr": 0.02}
    run = quick(tmp_path / "run", "sequence-classifier", (x, y), epochs=10, **settings)
    assert run.score["test"]["accuracy"] > 0.9
    assert run.predict(x[:4]).tolist() == y[:4].tolist()


@pytest.mark.slow
def test_auxiliary_heads_are_trained_with_the_rest(tmp_path: Path) -> None:
    pictures = torch.arange(16 * 32 * 32 * 3).reshape(16, 32, 32, 3).to(torch.uint8)
    data = danlu.load((pictures, torch.arange(16) % 2), validation=0, test=0)
    net = danlu.nets.GoogLeNet(classes=2, aux=True)
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    quick(tmp_path / "run", net, data, epochs=1, batch_size=8)
    assert not torch.equal(net.aux1.fc2.weight, before["aux1.fc2.weight"])  # type: ignore[union-attr]
    assert not torch.equal(net.aux2.fc2.weight, before["aux2.fc2.weight"])  # type: ignore[union-attr]


class WithState(nn.Module):
    """A classifier of the user's that hands out more than its logits."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = x.flatten(1)
        return self.linear(hidden), hidden


def test_of_a_tuple_the_first_entry_is_trained_scored_and_predicted(tmp_path: Path) -> None:
    run = quick(tmp_path / "run", WithState(), "digits")
    assert run.score["test"]["accuracy"] > 0.8
    assert run.predict(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape == (3,)


@pytest.mark.parametrize("name", [name for name in names() if usual_data(name)])
def test_data_that_nobody_names_are_those_the_net_is_for(name: str) -> None:
    assert usual_data(name) in data_names()
    assert (data_for_net(draft_recipe(name)).name or "digits") == usual_data(name)
    assert data_for_net(draft_recipe(name, "wine")).name == "wine"
    assert data_for_net(draft_recipe(name, settings={"path": "table.csv", "target": "y"})).name is None


OFFLINE = [name for name in names() if usual_data(name) in ("digits", "diabetes", "breast-cancer")]
FORECASTING = {name for name in names() if not usual_data(name)}  # the catalogue has no time series
LARGE = {"resnet18", "resnet34", "resnet50", "resnet101"}  # these take long


@pytest.mark.every(4)
@pytest.mark.parametrize("name", sorted(set(OFFLINE) - LARGE))
def test_the_hint_to_train_it_is_true(tmp_path: Path, name: str) -> None:
    run = quick(tmp_path / "run", name, epochs=1, batch_size=200)
    assert run.finished


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(names()) - set(OFFLINE) - FORECASTING - {"densenet169"}))
def test_and_so_it_is_where_the_data_lie_elsewhere(tmp_path: Path, data_root: Path, name: str) -> None:
    data = danlu.load(usual_data(name), root=str(data_root))
    if len(data.sample_shape) == 3:
        x, y = next(data.batches("train", 64, device=torch.device("cpu")))
        data = danlu.load((x, y), validation=0.1, test=0.1)
    run = quick(tmp_path / "run", name, data, epochs=1, batch_size=16 if len(data.sample_shape) == 3 else 256)
    assert run.finished


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("net", "settings", "told"),
    [
        ("mlp", {"freeze": ["layer"], "optim.rates": ["layers.7:0.1"]}, r"(?s)freeze.*layers.*rates.*layers\.7"),
        ("mlp", {"optim.rates": ["layers.0=0.1"]}, r"layer4:0\.001"),
        ("mlp", {"optim.rates": ["layers.0:0"]}, r"layers\.0:0"),
        ("mlp", {"thaw": 2}, r"train\.freeze"),
        ("mlp", {"freeze": ["layers.0"], "thaw": 5}, "5"),
        ("mlp", {"freeze": ["layers"], "thaw": 2}, "requires_grad|parameter|参数"),
        ("mlp", {"freeze": ["layers.0"], "thaw": 1}, r"train\.thaw"),
        ("language-model", {"data.name": "digits"}, "language-model"),
        ("autoencoder", {"data.name": "wine"}, "wine"),
        ("autoencoder", {"data.name": "digits", "data.standardise": True}, r"data\.standardise"),
    ],
)
def test_mistakes_are_told(language: str, tmp_path: Path, net: str, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(danlu.UserError, match=told):
        quick(tmp_path / "run", net, None if "data.name" in settings else "digits", **settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("key", "value"), [("optim.name", "lbfgs"), ("accumulate", 2), ("loss.name", "mse")])
def test_what_a_text_cannot_be_trained_with_is_told(
    language: str, tmp_path: Path, book: Path, key: str, value: object
) -> None:
    with pytest.raises(danlu.UserError, match=str(value) if isinstance(value, str) else key):
        quick(tmp_path / "run", "language-model", book, **SMALL | {key: value} | ({"optim.lr": 1.0}))
