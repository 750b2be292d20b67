"""A user's own loss: what it trains, what a resume asks for, and what is said of one that is none."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.words import speaking
from interruption import assert_same_end, interrupt_at

FEW = {"epochs": 2, "batch_size": 16, "progress": False}


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 2
    return torch.randn(120, 4, generator=generator) + labels[:, None], labels


def own(outputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(outputs, targets)


def other(outputs: Tensor, targets: Tensor) -> Tensor:
    return 2 * nn.functional.cross_entropy(outputs, targets)


def test_the_same_formula_takes_the_same_way_as_danlus(tmp_path: Path) -> None:
    named = danlu.fit("mlp", data(), folder=tmp_path / "named", dropout=0.0, **FEW)
    mine = danlu.fit("mlp", data(), folder=tmp_path / "own", loss=own, dropout=0.0, **FEW)
    assert mine.recipe.loss.name == "custom"
    kept = json.loads((mine.folder / "environment.json").read_text(encoding="utf-8"))
    assert (kept["loss"]["name"], len(kept["loss"]["source"]), kept["engine"]) == ("own", 16, "module")
    assert mine.score["test"]["loss"] == pytest.approx(named.score["test"]["loss"], rel=1e-4)
    module = danlu.fit("mlp", data(), folder=tmp_path / "module", loss=nn.CrossEntropyLoss(), dropout=0.0, **FEW)
    assert module.score == mine.score
    assert len(mine.predict(data()[0][:3])) == 3


def test_a_run_gone_on_with_wants_the_same_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = danlu.fit("mlp", data(), folder=tmp_path / "whole", loss=own, **FEW)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(danlu.Interrupted, match="cut"):
            danlu.fit("mlp", data(), folder=tmp_path / "cut", loss=own, **FEW)
    for given, said in ((None, "Hand it in again"), (other, "another loss")):
        with pytest.raises(danlu.UserError, match=said):
            danlu.resume(tmp_path / "cut", data=data(), loss=given, progress=False)
    assert_same_end(danlu.resume(tmp_path / "cut", data=data(), loss=own, progress=False), whole)


def test_a_run_trained_further_wants_it_too_and_ends_as_in_one_go(tmp_path: Path) -> None:
    whole = danlu.fit("mlp", data(), folder=tmp_path / "whole", loss=own, **{**FEW, "epochs": 4})
    half = danlu.fit("mlp", data(), folder=tmp_path / "half", loss=own, **FEW)
    for given, said in ((None, "Hand it in again"), (other, "another loss")):
        with pytest.raises(danlu.UserError, match=said):
            half.fit(epochs="+2", folder=tmp_path / "no", loss=given, progress=False)
    assert not (tmp_path / "no").exists()
    assert_same_end(half.fit(epochs="+2", folder=tmp_path / "more", loss=own, progress=False), whole)


class Weighted(nn.Module):
    def __init__(self, factor: float, *, trains: bool = False) -> None:
        super().__init__()
        self.register_buffer("factor", torch.tensor(factor))
        self.scale = nn.Parameter(torch.ones(())) if trains else None

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets) * self.factor


def test_a_loss_is_known_by_its_source_and_by_what_it_holds() -> None:
    from danlu.run.own.loss import own_loss

    def made(factor: float) -> Any:
        return lambda outputs, targets: factor * own(outputs, targets)

    sources = [own_loss(one) for one in (own, other, made(1.0), made(2.0), Weighted(1.0), Weighted(2.0), torch.dist)]
    assert all(sources)
    assert len({one.source for one in sources if one}) == len(sources)
    again = [own_loss(one) for one in (own, made(2.0), Weighted(2.0))]
    assert [one and one.source for one in again] == [sources[place] and sources[place].source for place in (0, 3, 5)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("loss", "id"),
    [
        (
            lambda outputs, targets: nn.functional.cross_entropy(outputs, targets, reduction="none"),
            "own-loss-no-scalar",
        ),
        (lambda outputs, targets: 0.5, "own-loss-no-tensor"),
        (lambda outputs, targets: own(outputs.detach(), targets), "own-loss-no-gradient"),
        (lambda outputs, targets: outputs.sum() * float("nan"), "own-loss-not-finite"),
        (lambda outputs, targets: outputs @ targets, "own-loss-fails"),
        (lambda outputs: outputs.sum(), "own-loss-fails"),
        (Weighted(1.0, trains=True), "own-loss-has-weights"),
        (nn.CrossEntropyLoss, "own-loss-not-callable"),
        (3, "own-loss-not-callable"),
    ],
    ids=["each", "number", "detached", "nan", "shapes", "signature", "weights", "class", "no function"],
)
def test_what_is_no_loss_is_one_sentence(loss: Any, id: str, language: str, tmp_path: Path) -> None:
    with speaking(language), pytest.raises(danlu.UserError, match=".") as caught:
        danlu.fit("mlp", data(), loss=loss, folder=tmp_path / "run", **FEW)
    assert [fault.id for fault in caught.value.faults] == [f"lab.{id}"]
    assert not (tmp_path / "run").exists()


def test_it_is_alone_and_where_it_cannot_be_it_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(danlu.UserError, match="do that in the function"):
        danlu.fit("mlp", data(), loss=own, label_smoothing=0.1, **FEW)
    study = partial(danlu.compare, vary={"lr": [0.1, 0.2]}, seeds=2)
    verbs: list[Any] = [danlu.fit, danlu.check, danlu.lr_find, study, partial(danlu.search, space={"lr": (1e-3, 1e-1)})]
    for verb in verbs:
        with pytest.raises(danlu.UserError, match="not at hand"):
            verb("mlp", data(), **{"loss.name": "custom"})
    assert not [*tmp_path.iterdir()], "nothing is written where something is refused"
    mine = danlu.fit("mlp", "iris", folder=tmp_path / "mine", loss=own, **FEW)
    with pytest.raises(danlu.UserError, match="not at hand"):
        danlu.landscape(mine.folder, points=3)
    run = danlu.fit("mlp", data(), folder=tmp_path / "run", loss="cross-entropy", **FEW)
    assert run.recipe.loss.name == "cross-entropy"
