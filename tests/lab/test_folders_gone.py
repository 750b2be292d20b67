"""Folders that are deleted or replaced while they are written to, and a working folder that is no more."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from torch import Tensor, nn

import danlu
from command_line import snapshot
from danlu.base.errors import FolderGoneError

X = numpy.random.default_rng(0).normal(size=(60, 4)).astype("float32")
DATA = (X, (X.sum(1) > 0).astype("int64"))
SHORT: dict[str, Any] = {"batch_size": 8, "progress": False}


class Fatal(nn.Module):
    """Tells of every batch that it is trained on; a copy of it tells the same."""

    def __init__(self, trained: Callable[[], Any]) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.trained = trained

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.trained()
        return self.layer(x) if float(x.detach().sum()) > -1e9 else x  # cannot be stacked


def after(act: Callable[[], Any], folder: Path, batches: int = 5) -> Callable[[], None]:
    """Does `act` so many batches after a journal has appeared in `folder`."""
    left = [batches]

    def trained() -> None:
        left[0] -= (folder / "journal.jsonl").exists()
        if left[0] == 0:
            left[0] = -1
            act()

    return trained


def deleted(folder: Path) -> None:
    shutil.rmtree(folder)


def deleted_with_its_parent(folder: Path) -> None:
    shutil.rmtree(folder.parent)


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


def replaced_by_nothing(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def replaced_by_a_copy(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name("copy"))
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)


def replaced_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("mine")


ACTS = [deleted, deleted_with_its_parent, moved, replaced_by_nothing, replaced_by_a_copy, replaced_by_a_file]


@pytest.mark.every(3)
@pytest.mark.parametrize("act", ACTS)
def test_a_training_whose_folder_is_gone_stops_and_writes_nothing(act: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "run"
    found: dict[str, bytes | None] = {}

    def gone() -> None:
        act(folder)
        found.update(snapshot(tmp_path))

    net = Fatal(after(gone, folder, 25))
    with pytest.raises(FolderGoneError, match="deleted, moved or replaced"):
        danlu.fit(net, DATA, folder=folder, epochs=6, checkpoint_steps=7, **SHORT)
    assert {path: content for path, content in snapshot(tmp_path).items() if path not in found} == {}
    if act is moved:
        again = Fatal(lambda: None)
        assert danlu.resume(folder.with_name("moved"), net=again, data=DATA, progress=False).finished


@pytest.mark.every(3)
@pytest.mark.parametrize("act", ACTS)
def test_a_study_whose_folder_is_gone_stops(act: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "studies" / "study"
    trained = after(lambda: act(folder), folder)

    with pytest.raises(FolderGoneError, match="deleted, moved or replaced"):
        danlu.compare(lambda: Fatal(trained), DATA, vary={"lr": [0.1, 0.2]}, seeds=2, epochs=3, folder=folder, **SHORT)
    assert not (folder / "best.toml").exists()
    assert not (folder / "report.html").exists()


def test_a_search_whose_folder_is_gone_stops(tmp_path: Path) -> None:
    folder = tmp_path / "studies" / "search"
    trained = after(lambda: deleted(folder), folder)

    with pytest.raises(FolderGoneError, match="deleted, moved or replaced"):
        danlu.search(
            lambda: Fatal(trained), DATA, space={"lr": (0.1, 0.2)}, trainings=8, epochs=4, folder=folder, **SHORT
        )
    assert not folder.exists()


def test_another_working_folder_is_no_other_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    net = Fatal(after(lambda: monkeypatch.chdir(tmp_path / "elsewhere"), tmp_path / "run"))
    assert danlu.fit(net, DATA, folder="run", epochs=6, **SHORT).finished
