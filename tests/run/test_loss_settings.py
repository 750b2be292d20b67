"""Losses that weigh classes from a recipe to the end of a run: what is taken, told, kept, refused, and compared."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

import danlu
from danlu.base.recipe import LossRecipe
from danlu.base.words import speaking
from danlu.run import engines
from danlu.run.setup import set_up
from danlu.stack import StackedEngine
from danlu.store.run_environment import MODULE, STACKED
from danlu.study.plan import make_plan
from danlu.train.class_weights import balanced
from interruption import assert_same_end, interrupt_at

FEW = {"epochs": 2, "batch_size": 20, "progress": False}


def rare(samples: int = 200, classes: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples of which one in ten is of each class but the first."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(samples) % 10
    labels = torch.where(labels < classes, labels, 0)
    return torch.randn(samples, 5, generator=generator) + labels[:, None], labels


class Streamed(Dataset[Any]):
    """The same, which nobody counts in advance."""

    def __len__(self) -> int:
        return len(rare()[0])

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return rare()[0][index], int(rare()[1][index])


def net(outputs: int, *, stacked: bool) -> nn.Module:
    """A chain of two layers, which a stack writes out where there is no batch normalisation between them."""
    torch.manual_seed(0)
    between = nn.ReLU() if stacked else nn.BatchNorm1d(6)
    return nn.Sequential(nn.Linear(5, 6), between, nn.Linear(6, outputs))


LOSSES: dict[str, tuple[int, dict[str, Any]]] = {
    "cross-entropy": (2, {"class_weights": "balanced"}),
    "bce": (1, {"class_weights": "balanced", "label_smoothing": 0.1}),
    "focal": (2, {"loss.name": "focal", "loss.gamma": 1.5, "class_weights": [1, 4]}),
    "focal of one output": (1, {"loss.name": "focal"}),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("stacked", [True, False])
@pytest.mark.parametrize("case", LOSSES)
def test_a_run_gone_on_with_ends_as_one_never_interrupted(
    case: str, stacked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs, settings = LOSSES[case]
    whole = danlu.fit(net(outputs, stacked=stacked), rare(), folder=tmp_path / "whole", **settings, **FEW)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 11)
        with pytest.raises(danlu.Interrupted, match="cut"):
            danlu.fit(net(outputs, stacked=stacked), rare(), folder=tmp_path / "cut", **settings, **FEW)
    again = danlu.resume(tmp_path / "cut", net=net(outputs, stacked=stacked), data=rare(), progress=False)
    assert_same_end(again, whole)
    assert again.recipe.loss == whole.recipe.loss
    assert not [one.rule for one in whole.findings if one.severity == "error"]
    assert len(whole.predict(rare()[0][:3])) == 3


@pytest.mark.parametrize("case", LOSSES)
def test_both_engines_take_the_same_way(case: str) -> None:
    outputs, settings = LOSSES[case]
    ends = []
    for name in (STACKED, MODULE):
        own = net(outputs, stacked=True)
        setup = set_up(
            danlu.Recipe(loss=_section(settings), train={"batch_size": 20, "epochs": 1}), danlu.load(rare()), own
        )
        engine = engines.build_engine(setup, name)
        assert isinstance(engine, StackedEngine) == (name == STACKED)
        with torch.no_grad() if name == STACKED else torch.enable_grad(), engine:
            for step, batch in enumerate(setup.data.batches("train", 20, device=setup.device)):
                engine.begin(step)
                for inputs, targets in engine.parts(batch):
                    engine.backward(engine.loss(engine.forward(inputs), targets))
                engine.clip()
                engine.update()
        ends.append(torch.cat([weights.detach().flatten() for weights in own.parameters()]))
    torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-5)


def _section(settings: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix("loss."): value for key, value in settings.items()}


def test_what_balanced_means_is_kept_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = danlu.load(rare(classes=3))
    counts = data.class_counts()
    assert counts is not None
    run = danlu.fit("mlp", data, folder=tmp_path / "run", class_weights="balanced", **{**FEW, "progress": True})
    assert run.recipe.loss.class_weights == tuple(sum(counts) / (3 * count) for count in counts)
    assert "loss.class_weights = balanced" in "".join(capsys.readouterr())
    by_label = danlu.fit("mlp", data, folder=tmp_path / "label", class_weights={2: 5}, **FEW)
    assert by_label.recipe.loss.class_weights == (1.0, 1.0, 5.0)


def test_scores_count_every_sample_alike(tmp_path: Path) -> None:
    run = danlu.fit("mlp", rare(), folder=tmp_path / "run", class_weights=[1, 50], label_smoothing=0.2, **FEW)
    x, y = rare()
    test = danlu.load((x, y))
    outputs, targets = [], []
    for inputs, wanted in test.batches("test", 50, device=torch.device("cpu")):
        with torch.no_grad():
            outputs.append(run.net()(inputs))
        targets.append(wanted)
    own = nn.functional.cross_entropy(torch.cat(outputs), torch.cat(targets))
    assert run.score["test"]["loss"] == pytest.approx(float(own), rel=1e-4)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("data", "settings", "id"),
    [
        (rare(), {"class_weights": [1, 2, 3]}, "train.class-weights-count"),
        (rare(), {"class_weights": [1, -2]}, "train.class-weights-number"),
        (rare(), {"class_weights": {"yes": 2}}, "train.class-weights-label"),
        (rare(), {"class_weights": "equal"}, "train.class-weights-unknown"),
        (rare(), {"loss.gamma": 2.0}, "lab.gamma-needs-focal"),
        (rare(), {"loss.name": "focal", "label_smoothing": 0.1}, "train.smoothing-needs-cross-entropy"),
        ((rare()[0], rare()[0][:, 0]), {"class_weights": "balanced"}, "lab.class-weights-need-classes"),
        (Streamed(), {"class_weights": "balanced"}, "train.class-weights-uncounted"),
    ],
    ids=["count", "negative", "label", "word", "gamma", "smoothing", "regression", "streamed"],
)
def test_what_does_not_fit_is_one_sentence(data: Any, settings: dict[str, Any], id: str, language: str) -> None:
    with speaking(language), pytest.raises(danlu.UserError, match="loss[.]") as caught:
        danlu.fit("mlp", data, **settings, **FEW)
    assert [fault.id for fault in caught.value.faults] == [id]
    assert str(caught.value.faults[0])


@pytest.mark.parametrize(
    ("given", "kept"),
    [("none", None), ("1, 5", (1.0, 5.0)), ([1, 5], (1, 5)), ({1: 5}, {"1": 5}), ("balanced", "balanced")],
)
def test_class_weights_are_plain_values_however_they_are_written(given: Any, kept: Any) -> None:
    assert LossRecipe(class_weights=given).class_weights == kept


def test_a_comparison_balances_every_fold_by_its_own_training_part(tmp_path: Path) -> None:
    levels = ["none", "balanced"]
    data = danlu.load(rare(203))
    plan = make_plan(danlu.Recipe(net={"name": "mlp"}), {"loss.class_weights": levels}, [0], 3, data=data)
    assert [group.alone for group in plan.groups] == [None, None]
    plain, weighed = plan.planned
    for own in weighed.folds:
        counts = own.class_counts()
        assert counts is not None
        assert plain.recipe(0, own).loss.class_weights is None
        assert weighed.recipe(0, own).loss.class_weights == balanced(counts)
    assert len({weighed.recipe(0, own).loss.class_weights for own in weighed.folds}) > 1
    folder = tmp_path / "study"
    study = danlu.compare(
        "mlp", data, vary={"class_weights": levels}, seeds=2, folds=3, folder=folder, progress=False, epochs=1
    )
    assert sorted({member.factors["loss.class_weights"] for member in study.members}) == sorted(levels)
    assert len(study.members) == 12
