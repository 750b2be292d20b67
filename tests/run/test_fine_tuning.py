"""A training that begins with the net and the scored weights of another run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.run.scored_net import scored_weights
from danlu.store.run_folder import RunFolder
from interruption import assert_same_end, interrupt_at

QUIET: dict[str, Any] = {"progress": False}
SMALL: dict[str, Any] = {"hidden": [16], "epochs": 3, **QUIET}


def made(classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """300 samples of 6 numbers, in classes by the largest of the first ones."""
    x = torch.randn(300, 6, generator=torch.Generator().manual_seed(seed))
    return x, x[:, :classes].argmax(1)


@pytest.mark.every(3)
@pytest.mark.parametrize("scored", ["best", "last", "ema"])
def test_other_data_begin_with_the_scored_weights(tmp_path: Path, scored: str) -> None:
    more = {"ema": 0.9} if scored == "ema" else {"train.weights": scored}
    parent = danlu.fit("mlp", made(3), folder=tmp_path / "parent", **SMALL, **more)
    slow: dict[str, Any] = {"epochs": 1, "lr": 1e-30, **QUIET}  # too slow to move a bit
    tuned = danlu.fit(data=made(3, 1), weights_from=parent, folder=tmp_path / "tuned", **slow)
    weights = scored_weights(RunFolder(parent.folder), parent.recipe, finished=True)
    found = tuned.net().state_dict()
    assert found.keys() == weights.tensors.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.tensors.items())
    assert tuned.recipe.net.options == parent.recipe.net.options
    told = tuned.parent
    assert told is not None
    assert (told.name, told.weights, told.further) == ("parent", weights.file.sha256, False)
    assert told.epoch == (parent.scored_epoch if scored == "best" else 3)
    assert f"Began with the weights of {parent.folder}, those of epoch {told.epoch}." in str(tuned)
    assert tuned.epochs == 1, "its curves are its own"


def test_for_other_classes_the_head_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parent = danlu.fit("mlp", made(3), folder=tmp_path / "parent", **SMALL)
    tuned = danlu.fit(data=made(5), weights_from=parent.folder, epochs=2, folder=tmp_path / "tuned", **QUIET)
    assert "starts anew: it has 5 outputs, in the weights it has 3" in capsys.readouterr().err
    assert tuned.net()(torch.zeros(1, 6)).shape == (1, 5)


def test_a_net_given_takes_the_weights(tmp_path: Path) -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))

    parent = danlu.fit(net(), made(3), epochs=2, folder=tmp_path / "parent", **QUIET)
    with pytest.raises(danlu.UserError, match=r"danlu\.fit\(Sequential"):
        danlu.fit(data=made(3, 1), weights_from=parent, folder=tmp_path / "none", **QUIET)
    own = net()
    danlu.fit(own, made(3, 1), weights_from=parent, epochs=1, lr=1e-30, folder=tmp_path / "tuned", **QUIET)
    assert torch.equal(own[0].weight, parent.net()[0].weight)
    other = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3))
    with pytest.raises(danlu.UserError, match="not for this net"):
        danlu.fit(other, made(3), weights_from=parent, folder=tmp_path / "none", **QUIET)
    assert not (tmp_path / "none").exists()


def test_tied_weights_are_taken_whole(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
            self.second.weight = self.first.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.second(self.first(x).tanh()).tanh())

    parent = danlu.fit(Tied(), made(3), epochs=1, folder=tmp_path / "parent", **QUIET)
    own = Tied()
    danlu.fit(own, made(3), weights_from=parent, epochs=1, lr=1e-30, folder=tmp_path / "tuned", **QUIET)
    assert torch.equal(own.second.weight, parent.net().state_dict()["first.weight"])


def test_it_is_resumed_exactly_and_still_knows_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(200)))
    table: dict[str, Any] = {"data": tmp_path / "t.csv", "target": "y", **SMALL}
    parent = danlu.fit("mlp", folder=tmp_path / "parent", **table)
    tuned: dict[str, Any] = {**table, "weights_from": parent, "lr": 0.02}
    tuned.pop("hidden")
    whole = danlu.fit(folder=tmp_path / "whole", **tuned)
    interrupt_at(monkeypatch, 5)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit(folder=tmp_path / "broken", **tuned)
    resumed = danlu.resume(tmp_path / "broken", **QUIET)
    assert_same_end(whole, resumed)
    assert resumed.parent == whole.parent
    (tmp_path / "broken" / "journal.jsonl").write_text("")  # killed before its first line: nothing but a checkpoint
    assert danlu.resume(tmp_path / "broken", **QUIET).parent == whole.parent


def test_what_is_no_beginning_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = danlu.fit("mlp", made(3), folder=tmp_path / "lost", lr=1e20, epochs=1, **QUIET)
    with pytest.raises(danlu.UserError, match="diverged at step"):
        danlu.fit(data=made(3), weights_from=lost, **QUIET)
    with pytest.raises(danlu.UserError, match="no such run folder"):
        danlu.fit(data=made(3), weights_from=tmp_path / "none", **QUIET)
    interrupt_at(monkeypatch, 2)
    with pytest.raises(danlu.Interrupted, match="begun"):
        danlu.fit("mlp", made(3), folder=tmp_path / "begun", **SMALL)
    with pytest.raises(danlu.UserError, match="has not ended"):
        danlu.fit(data=made(3), weights_from=tmp_path / "begun", **QUIET)
    whole = danlu.fit("mlp", made(3), folder=tmp_path / "whole", **SMALL)
    for file in whole.folder.glob("checkpoints/*/*.safetensors"):
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(danlu.UserError, match=r"safetensors"):
        danlu.fit(data=made(3), weights_from=whole, **QUIET)
