"""Weights of samples, and of positive ones: what they train, on what data, and what is said where they say nothing."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import danlu
from danlu.base.recipe import LossRecipe
from danlu.base.words import speaking
from danlu.train.losses import LOSSES
from danlu.train.sample_weights import SampleWeighted
from interruption import assert_same_end, interrupt_at

FEW: dict[str, Any] = {"epochs": 2, "batch_size": 16, "progress": False}


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 2
    return torch.randn(120, 4, generator=generator) + labels[:, None], labels


def weights() -> Tensor:
    return torch.arange(120) % 5


def net(outputs: int = 2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(4, outputs)


def table(folder: Path, *, last: str = "2") -> Path:
    x, y = data()
    path = folder / "table.csv"
    rows = [
        f"{a:.3f},{b:.3f},{w},{label}" for (a, b, *_), w, label in zip(x, weights().tolist(), y.tolist(), strict=True)
    ]
    rows[-1] = ",".join([*rows[-1].split(",")[:2], last, rows[-1].split(",")[3]])
    path.write_text("\n".join(["a,b,w,y", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("settings", "outputs"),
    [
        ({"name": "cross-entropy", "label_smoothing": 0.1}, 3),
        ({"name": "cross-entropy", "class_weights": (1.0, 2.0, 3.0)}, 3),
        ({"name": "focal", "gamma": 2.0}, 3),
        ({"name": "bce", "class_weights": (1.0, 2.0)}, 1),
        ({"name": "huber"}, 2),
        ({"name": "mse"}, 2),
    ],
)
def test_a_sample_of_weight_two_is_the_same_as_two_of_it(
    settings: dict[str, Any], outputs: int, reduction: Any
) -> None:
    generator = torch.Generator().manual_seed(1)
    made = torch.randn(6, outputs, generator=generator)
    classes = LOSSES[settings["name"]][1] == "classification"
    wanted = torch.randint(0, 2, (6,), generator=generator) if classes else torch.randn(6, outputs, generator=generator)
    counts = torch.tensor([1, 2, 0, 3, 1, 1])
    recipe = LossRecipe(**settings, reduction=reduction)
    targets = torch.cat([counts[:, None].float(), wanted.reshape(6, -1).float()], 1)
    once = SampleWeighted(recipe)(made, targets)
    several = LossRecipe(**settings, reduction=reduction)
    repeated = danlu.train.losses.build_loss(recipe.name, several)(
        made.repeat_interleave(counts, 0), wanted.repeat_interleave(counts, 0)
    )
    assert once.item() == pytest.approx(repeated.item(), rel=1e-5)


def test_nothing_is_divided_by_nothing() -> None:
    loss = SampleWeighted(LossRecipe(name="mse"))
    assert loss(torch.ones(2, 1), torch.zeros(2, 2)).item() == 0


def test_weights_train_as_samples_repeated_would(tmp_path: Path) -> None:
    x, y = data()
    loaded = danlu.load((x, y), weights=weights(), validation=0, test=0, standardise=False)
    whole: dict[str, Any] = {"epochs": 3, "lr": 0.1, "progress": False, "watch": False, "optim": "sgd"}
    model = net()
    danlu.fit(model, loaded, batch_size=120, folder=tmp_path / "weighted", **whole)
    counts = weights()
    again = danlu.load(
        (x.repeat_interleave(counts, 0), y.repeat_interleave(counts)), validation=0, test=0, standardise=False
    )
    other = net()
    danlu.fit(other, again, batch_size=again.sizes["train"], folder=tmp_path / "repeated", **whole)
    assert torch.allclose(model.weight, other.weight, atol=1e-5)  # pyright: ignore[reportArgumentType]
    parts = net()
    danlu.fit(parts, loaded, batch_size=40, accumulate=3, folder=tmp_path / "parts", **whole)
    assert torch.allclose(parts.weight, model.weight, atol=1e-5)  # pyright: ignore[reportArgumentType]


def test_a_column_of_a_table_is_no_feature_and_is_told(tmp_path: Path) -> None:
    loaded = danlu.load(table(tmp_path), target="y", weight="w")
    assert loaded.sample_shape == (2,)
    assert "data.weight-left-out" in [note.id for note in loaded.notes]
    by_number = danlu.load(table(tmp_path), target="y", weight="2")
    assert by_number.fingerprint() == loaded.fingerprint() != danlu.load(table(tmp_path), target="y").fingerprint()
    run = danlu.fit("mlp", table(tmp_path), target="y", weight="w", folder=tmp_path / "run", **FEW)
    plain = danlu.fit("mlp", table(tmp_path), target="y", folder=tmp_path / "plain", **FEW)
    assert run.recipe.data.weight == "w"
    assert run.score["train"] != plain.score["train"]
    assert run.predict({"a": [0.0], "b": [1.0]}).shape == (1,)
    study = danlu.compare(
        "mlp",
        table(tmp_path),
        target="y",
        weight="w",
        vary={"hidden": [2, 3]},
        seeds=2,
        folds=2,
        folder=tmp_path / "s",
        **FEW,
    )
    assert len(study.members) == 8


def test_a_run_cut_short_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = danlu.fit("mlp", danlu.load(data(), weights=weights()), folder=tmp_path / "whole", **FEW)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(danlu.Interrupted, match="cut"):
            danlu.fit("mlp", danlu.load(data(), weights=weights()), folder=tmp_path / "cut", **FEW)
    with pytest.raises(danlu.UserError, match="is no longer the one this run began with"):
        danlu.resume(tmp_path / "cut", data=danlu.load(data()), progress=False)
    assert_same_end(danlu.resume(tmp_path / "cut", data=danlu.load(data(), weights=weights()), progress=False), whole)


def test_pos_weight_is_torchs(tmp_path: Path) -> None:
    run = danlu.fit(net(1), data(), pos_weight=3, folder=tmp_path / "run", **FEW)
    other = danlu.fit(net(1), data(), class_weights=[1, 3], folder=tmp_path / "other", **FEW)
    assert run.score == other.score
    x, y = data()
    several = torch.stack([y, 1 - y], 1).bool()
    labels = danlu.fit(net(), (x, several), pos_weight=[2, 5], folder=tmp_path / "labels", **FEW)
    assert labels.recipe.loss.pos_weight == (2.0, 5.0)
    outputs, wanted = torch.randn(4, 2), torch.tensor([[0.0, 1.0]] * 4)
    built = danlu.train.losses.build_loss("bce", labels.recipe.loss)
    expected = F.binary_cross_entropy_with_logits(outputs, wanted, pos_weight=torch.tensor([2.0, 5.0]))
    assert torch.equal(built(outputs, wanted), expected)
    again = danlu.fit(recipe=run.recipe, net=net(1), data=data(), folder=tmp_path / "again", progress=False)
    assert again.score == run.score


MISTAKES: dict[str, tuple[Any, str, str]] = {
    "too few": (
        lambda _: danlu.load(data(), weights=[1.0]),
        "one number for each of 120 samples",
        "120 个样本应各有一个权重",
    ),
    "negative": (
        lambda _: danlu.load(data(), weights=weights() - 1),
        "0 or more and finite; 24 are not",
        "有 24 个不符合",
    ),
    "no number": (lambda _: danlu.load(data(), weights=numpy.array(["a"] * 120)), "must be numbers", "样本权重应为数"),
    "nothing": (lambda _: danlu.load(data(), weights=[0] * 120), "have weight zero", "权重全是 0"),
    "both": (lambda _: danlu.load(data(), weight="w", weights=weights()), "not both", "只能给一个"),
    "a column of no table": (lambda _: danlu.load(data(), weight="w"), "there is no such column", "没有这一列"),
    "no such column": (
        lambda folder: danlu.load(table(folder), target="y", weight="ww"),
        'data.weight = ww: there is no such column; there are a, b, w, y. Did you mean "w"?',
        "没有这一列",
    ),
    "a gap": (
        lambda folder: danlu.load(table(folder, last=""), target="y", weight="w"),
        r"w: the weights of samples must be 0 or more and finite; 1 are not, the first is nan \(row 120\)",
        "第 120 行",
    ),
    "words": (
        lambda folder: danlu.load(table(folder, last="much"), target="y", weight="a"),
        "a: the weights of samples must be 0 or more and finite",
        "a：样本权重应为有限的数",
    ),
    "the target": (
        lambda folder: danlu.load(table(folder), target="y", weight="y"),
        "data.weight = y: that is the column to predict",
        "这是要预测的列",
    ),
    "pictures": (
        lambda _: danlu.load((torch.zeros(120, 8, 8, dtype=torch.uint8), data()[1]), weights=weights()),
        "data.weight",
        "data.weight",
    ),
    "balanced too": (
        lambda _: danlu.fit("mlp", danlu.load(data(), weights=weights()), balance="classes"),
        "take one of the two",
        "请只用其中一个",
    ),
    "a loss of one's own": (
        lambda _: danlu.fit("mlp", danlu.load(data(), weights=weights()), loss=F.cross_entropy),
        "the samples have weights: multiply them in the function",
        "样本带有权重",
    ),
    "pos_weight of cross-entropy": (
        lambda _: danlu.fit("mlp", data(), pos_weight=2),
        "loss.pos_weight is for bce, of one output or of several labels; the loss here is cross-entropy",
        "loss.pos_weight 用于只有一个输出或多个标签的 bce",
    ),
    "two of one": (
        lambda _: danlu.fit(net(1), data(), pos_weight=[1, 2]),
        "has 2 numbers; it must have one, or 1",
        "2 个数",
    ),
    "beside class weights": (
        lambda _: danlu.fit(net(1), data(), pos_weight=2, class_weights=[1, 5]),
        "say the same of two classes",
        "同一件事",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    act, english, chinese = MISTAKES[mistake]
    with pytest.raises(danlu.UserError, match=english) as caught:
        act(tmp_path)
    with speaking("zh"):
        assert chinese in str(caught.value)
