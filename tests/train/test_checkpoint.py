import copy
import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from danlu.base.errors import StorageError
from danlu.base.seeds import stream
from danlu.base.words import use_language
from danlu.train import checkpoint
from danlu.train.checkpoint import Checkpoint, load_newest, save
from danlu.train.tree import flatten, restore

STATE = {
    "epoch": 3,
    "best": math.nan,
    "worst": -math.inf,
    "tiny": 5e-324,
    "big": 2**70,
    "名": ["NaN", None, True, -0.0],
}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


def parts_of(step: int) -> dict[str, dict[str, torch.Tensor]]:
    return {
        "weights": {"layer.weight": torch.full((3, 2), float(step)), "layer.count": torch.tensor(step)},
        "optimizer": {"momentum": torch.full((3, 2), -float(step))},
        "ema": {},
    }


def saved(folder: Path, *steps: int, keep: int = 2) -> list[Path]:
    return [save(folder, step, parts_of(step), {"step": step}, keep=keep) for step in steps]


def newest(folder: Path) -> Checkpoint:
    found = load_newest(folder).checkpoint
    assert found is not None
    return found


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 0x01
    file.write_bytes(content)


def test_all_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save(tmp_path / "new" / "checkpoints", 1200, parts_of(1200), STATE)

    found = newest(path.parent)

    assert path.name == "step-00001200"
    assert sorted(file.name for file in path.iterdir()) == [
        "ema.safetensors", "manifest.json", "optimizer.safetensors", "weights.safetensors",
    ]  # fmt: skip
    assert (found.path, found.step) == (path, 1200)
    assert repr(found.state) == repr(STATE)
    assert found.parts["ema"] == {}
    for part, tensors in parts_of(1200).items():
        assert all(torch.equal(found.parts[part][name], tensor) for name, tensor in tensors.items())


def test_other_programs_can_read_the_files(tmp_path: Path) -> None:
    path = save(tmp_path, 7, parts_of(7), {"epoch": 1})

    manifest = json.loads((path / "manifest.json").read_text())
    weights = safetensors.torch.load_file(path / "weights.safetensors")

    content = (path / "weights.safetensors").read_bytes()
    assert manifest["parts"]["weights"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["parts"]["weights"]["size"] == len(content)
    assert (manifest["format"], manifest["step"], manifest["state"]) == (1, 7, {"epoch": 1})
    assert torch.equal(weights["layer.weight"], torch.full((3, 2), 7.0))


def test_tied_weights_stay_tied(tmp_path: Path) -> None:
    weight = torch.ones(2)
    save(tmp_path, 1, {"weights": {"encoder": weight, "decoder": weight}}, {})
    found = newest(tmp_path)

    assert found.parts["weights"]["encoder"] is found.parts["weights"]["decoder"]


@pytest.mark.parametrize("state", [{"pair": (1, 2)}, {"nested": {1: "one"}}, {"numbers": [torch.tensor(1.0).numpy()]}])
def test_a_state_that_json_changes_is_refused(tmp_path: Path, state: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="the value holds|not JSON serializable"):
        save(tmp_path, 1, {}, state)
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    saved(tmp_path, 100, 200, 300, 1_000_000_000, keep=3)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000200", "step-00000300", "step-1000000000"]
    assert newest(tmp_path).step == 1_000_000_000


def test_damaged_ones_do_not_count_as_kept(tmp_path: Path) -> None:
    saved(tmp_path, 100, 200)
    flip(tmp_path / "step-00000200" / "weights.safetensors", -1)

    saved(tmp_path, 300)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000100", "step-00000300"]


def test_a_save_never_deletes_itself_or_newer_ones(tmp_path: Path) -> None:
    saved(tmp_path, 100, 200)

    saved(tmp_path, 150, keep=1)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000150", "step-00000200"]


def test_a_new_one_that_does_not_read_back_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, 100, 200)
    put_folder = checkpoint.files.put_folder

    def damaging(path: Path, contents: dict[str, bytes]) -> None:
        put_folder(path, contents)
        flip(path / "optimizer.safetensors", 9)

    monkeypatch.setattr(checkpoint.files, "put_folder", damaging)
    with pytest.raises(StorageError, match="did not read back as it was written.*optimizer.safetensors"):
        saved(tmp_path, 300)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000100", "step-00000200"]


def test_a_second_state_of_a_step_is_newer_and_the_first_stands_until_it_is_safe(tmp_path: Path) -> None:
    (path,) = saved(tmp_path, 100)
    before = {file: file.stat().st_mtime_ns for file in path.iterdir()}

    for number in range(1, 12):
        second = save(tmp_path, 100, parts_of(999), {"after validation": number})
        assert second.name == f"step-00000100-{number}"
        assert newest(tmp_path).state == {"after validation": number}
        if number == 1:
            assert {file: file.stat().st_mtime_ns for file in path.iterdir()} == before

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000100-10", "step-00000100-11"]
    saved(tmp_path, 101)
    assert newest(tmp_path).step == 101


def test_a_step_that_stands_damaged_is_replaced(tmp_path: Path) -> None:
    (path,) = saved(tmp_path, 100)
    (path / "weights.safetensors").unlink()
    (path / "left over").mkdir()

    saved(tmp_path, 100)

    assert newest(tmp_path).state == {"step": 100}
    assert not (path / "left over").exists()


def test_leftovers_of_a_killed_save_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-step-00000050").mkdir()
    (tmp_path / ".tmp-step-00000050" / "weights.safetensors").write_bytes(b"half")
    (tmp_path / ".tmp-file").write_bytes(b"half")

    saved(tmp_path, 100)

    assert [path.name for path in tmp_path.iterdir()] == ["step-00000100"]


def test_keeping_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep must be at least 1, got 0"):
        saved(tmp_path, 1, keep=0)


def test_no_folder_and_an_empty_one_hold_no_checkpoint(tmp_path: Path) -> None:
    assert load_newest(tmp_path / "absent") == load_newest(tmp_path)
    assert load_newest(tmp_path).checkpoint is None and load_newest(tmp_path).skipped == ()


def assert_falls_back(folder: Path, *words: str) -> None:
    found = load_newest(folder)
    assert found.checkpoint is not None and found.checkpoint.state == {"step": 100}
    assert torch.equal(found.checkpoint.parts["weights"]["layer.weight"], torch.full((3, 2), 100.0))
    (told,) = [str(fault) for fault in found.skipped]
    assert all(word in told for word in ("Checkpoint step-00000200 cannot be used and was passed over", *words)), told


PARTS = ["weights.safetensors", "optimizer.safetensors", "ema.safetensors"]


@pytest.mark.parametrize("position", [0, 8, 20, -1])
@pytest.mark.parametrize("name", PARTS)
def test_a_flipped_byte_in_a_part_falls_back(tmp_path: Path, name: str, position: int) -> None:
    saved(tmp_path, 100, 200)
    flip(tmp_path / "step-00000200" / name, min(position, 15) if name.startswith("ema") else position)

    assert_falls_back(tmp_path, name, "has changed since it was written")


def test_a_flip_of_any_byte_of_the_manifest_falls_back(tmp_path: Path) -> None:
    saved(tmp_path, 100, 200)
    manifest = tmp_path / "step-00000200" / "manifest.json"
    whole = manifest.read_bytes()

    for position in range(len(whole)):
        flip(manifest, position)
        assert_falls_back(tmp_path, "manifest.json", "the manifest is damaged")
        manifest.write_bytes(whole)
    assert newest(tmp_path).step == 200


@pytest.mark.parametrize("name", [*PARTS, "manifest.json"])
@pytest.mark.parametrize("left", [0, 5, -1])
def test_a_truncated_file_falls_back(tmp_path: Path, name: str, left: int) -> None:
    saved(tmp_path, 100, 200)
    file = tmp_path / "step-00000200" / name
    file.write_bytes(file.read_bytes()[:left])

    told = "the manifest is damaged" if name == "manifest.json" else "bytes where the manifest says"
    assert_falls_back(tmp_path, name, told)


@pytest.mark.parametrize("name", [*PARTS, "manifest.json"])
def test_a_missing_file_falls_back(tmp_path: Path, name: str) -> None:
    saved(tmp_path, 100, 200)
    (tmp_path / "step-00000200" / name).unlink()

    assert_falls_back(tmp_path, name, "this file of the checkpoint is missing")


def test_a_folder_or_file_in_the_wrong_place_falls_back(tmp_path: Path) -> None:
    saved(tmp_path, 100, 200)
    weights = tmp_path / "step-00000200" / "weights.safetensors"
    weights.unlink()
    weights.mkdir()
    assert_falls_back(tmp_path, "weights.safetensors", "cannot be read")
    (tmp_path / "step-00000300").write_text("no folder")
    assert newest(tmp_path).step == 100


def test_a_manifest_of_a_newer_format_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, 100)
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    saved(tmp_path, 200)
    monkeypatch.undo()

    assert_falls_back(tmp_path, "written by a newer danlu (format 2; this danlu reads up to 1)")


def test_all_damaged_gives_none_and_tells_of_each_newest_first(tmp_path: Path) -> None:
    for path in saved(tmp_path, 100, 200):
        flip(path / "weights.safetensors", -1)

    found = load_newest(tmp_path)

    assert found.checkpoint is None
    assert [fault.values["name"] for fault in found.skipped] == ["step-00000200", "step-00000100"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom rights bind")
def test_a_folder_not_writable_is_told(tmp_path: Path) -> None:
    saved(tmp_path, 100)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="may not write there"):
            saved(tmp_path, 200)
    finally:
        tmp_path.chmod(0o700)
    assert newest(tmp_path).step == 100


class SparseNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 3, sparse=True)

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        return self.table(index)


def built(kind: type[torch.optim.Optimizer]) -> tuple[nn.Module, torch.optim.Optimizer]:
    if kind is torch.optim.SparseAdam:
        net: nn.Module = SparseNet()
    elif kind is torch.optim.Muon:
        net = nn.Sequential(nn.Linear(5, 7, bias=False), nn.Tanh(), nn.Linear(7, 1, bias=False))
    else:
        net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(12, 1))
        if kind is not torch.optim.LBFGS:  # which wants contiguous gradients
            net = net.to(memory_format=torch.channels_last)
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=stream(0, "initial", index)))
    options: dict[str, Any] = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    return net, kind(net.parameters(), lr=0.05, **options)


def train(net: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        generator = stream(0, "batch", step)
        if isinstance(net, SparseNet):
            batch = torch.randint(10, (4,), generator=generator)
        elif isinstance(optimizer, torch.optim.Muon):
            batch = torch.randn(4, 5, generator=generator)
        else:
            batch = torch.randn(4, 2, 3, 3, generator=generator)

        def closure(batch: torch.Tensor = batch) -> float:
            optimizer.zero_grad()
            loss = (net(batch) - 1).square().mean()
            loss.backward()
            return loss.item()

        optimizer.step(closure)


OPTIMISERS = {
    name: kind
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer
}


def test_the_optimisers_are_all_there() -> None:
    assert {"Adafactor", "Adam", "AdamW", "ASGD", "LBFGS", "Muon", "Rprop", "SGD", "SparseAdam"} < set(OPTIMISERS)


@pytest.mark.parametrize("name", sorted(OPTIMISERS))
def test_every_optimiser_goes_on_bit_for_bit(tmp_path: Path, name: str) -> None:
    net, optimizer = built(OPTIMISERS[name])
    train(net, optimizer, range(3))
    json_tree, tensors = flatten(optimizer.state_dict())
    parts = {"weights": net.state_dict(), "optimizer": tensors}
    save(tmp_path, 3, parts, {"optimizer": json_tree})
    found = newest(tmp_path)
    before = copy.deepcopy(net.state_dict())
    train(net, optimizer, range(3, 6))

    other, resumed = built(OPTIMISERS[name])
    other.load_state_dict(found.parts["weights"])
    resumed.load_state_dict(restore(found.state["optimizer"], found.parts["optimizer"]))
    train(other, resumed, range(3, 6))

    for key, tensor in net.state_dict().items():
        assert torch.equal(other.state_dict()[key], tensor), key
        assert not torch.equal(before[key], tensor), f"{key} was not trained"
    one, two = flatten(optimizer.state_dict()), flatten(resumed.state_dict())
    assert one[0] == two[0]
    assert all(torch.equal(one[1][key], two[1][key]) for key in one[1])


def test_a_gradient_scaler_comes_back(tmp_path: Path) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    json_tree, tensors = flatten(scaler.state_dict())
    save(tmp_path, 1, {"scaler": tensors}, {"scaler": json_tree})
    found = newest(tmp_path)

    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(restore(found.state["scaler"], found.parts["scaler"]))

    assert other.get_scale() == 8.0 and other.state_dict() == scaler.state_dict()
