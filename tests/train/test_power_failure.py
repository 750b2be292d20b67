"""The power is cut at every moment of a sequence of saves: what had been saved is still there."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from danlu.base.errors import StorageError
from danlu.train.checkpoint import load_newest, save
from power_cut import ModelDisk, Operation, Recorder, Tree, put


def save_step(folder: Path, step: int) -> Path:
    parts = {"weights": {"weight": torch.full((4,), float(step))}, "optimizer": {"momentum": torch.full((2,), -step)}}
    return save(folder, step, parts, {"step": step}, keep=2)


def step_of_newest(folder: Path) -> int:
    """The step that loads, 0 for none; it must be what was saved."""
    found = load_newest(folder).checkpoint
    if found is None:
        return 0
    assert found.state == {"step": found.step}
    assert torch.equal(found.parts["weights"]["weight"], torch.full((4,), float(found.step)))
    assert torch.equal(found.parts["optimizer"]["momentum"], torch.full((2,), -found.step))
    return found.step


def record(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    """The log of saves that retire old checkpoints, replace a damaged one, remove a leftover and try again.

    ("safe", folder, step) stands where all is well up to that step.
    """
    folder.mkdir()
    with monkeypatch.context() as patch:
        recorder = Recorder(patch, folder)
        for step in (100, 200, 300, 400):
            save_step(folder / "checkpoints", step)
            recorder.log.append(("safe", str(folder), step))
        recorder.log.append(("safe", str(folder), 300))
        os.unlink(folder / "checkpoints" / "step-00000400" / "weights.safetensors")
        os.mkdir(folder / "checkpoints" / ".tmp-step-00000450")
        for step in (400, 500):
            save_step(folder / "checkpoints", step)
            recorder.log.append(("safe", str(folder), step))
        recorder.refused = "checkpoints"
        with pytest.raises(StorageError, match="Input/output error"):
            save_step(folder / "checkpoints", 600)
        save_step(folder / "checkpoints", 600)
        recorder.log.append(("safe", str(folder), 600))
    return recorder.log


def violations(log: list[Operation], root: Path, scratch: Path) -> Iterator[str]:
    """The moments of `log` at which a power failure could cost more than the save under way."""
    disk = ModelDisk(root)
    known: dict[Tree, int] = {}
    safe = 0
    scratch.mkdir()
    for moment, operation in enumerate(log):
        if operation[0] == "safe":
            safe = operation[2]
        else:
            disk.apply(operation)
        for tree in disk.survivors():
            if tree not in known:
                folder = scratch / str(len(known))
                put(tree, folder)
                known[tree] = step_of_newest(folder / "checkpoints")
            if known[tree] < safe:
                yield f"after {moment} {operation[:2]}: {known[tree]} where {safe} had been saved"
    assert len(known) > 100, "the harness looked at next to nothing"


def test_no_power_failure_costs_a_saved_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = record(tmp_path / "run", monkeypatch)

    assert list(violations(log, tmp_path / "run", tmp_path / "scratch")) == []


FORCED: dict[str, Callable[[Path], bool]] = {
    "files": lambda path: path.suffix in (".safetensors", ".json"),
    "folders": lambda path: path.suffix not in (".safetensors", ".json"),
    "the new checkpoint's list of files": lambda path: path.name.startswith(".tmp-"),
    "the list of checkpoints": lambda path: path.name == "checkpoints",
    "the name of the folder of checkpoints": lambda path: path.name == "run",
}


@pytest.mark.parametrize("forced", FORCED)
def test_without_any_one_kind_of_fsync_a_power_failure_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forced: str
) -> None:
    log = record(tmp_path / "run", monkeypatch)
    sabotaged = [entry for entry in log if not (entry[0] == "fsync" and FORCED[forced](Path(entry[1])))]

    assert len(sabotaged) < len(log)
    assert next(violations(sabotaged, tmp_path / "run", tmp_path / "scratch"), None) is not None
