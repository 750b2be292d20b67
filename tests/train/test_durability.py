"""A harness that fails the first, second, third … file operation of a save, until none is left to fail."""

import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from danlu.base import files
from danlu.base.errors import StorageError
from danlu.base.words import use_language
from danlu.train import checkpoint
from danlu.train.checkpoint import load_newest, save

PATCHED = ("open", "write", "fsync", "replace", "mkdir", "unlink", "rmdir")


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


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


def is_whole(path: Path) -> bool:
    return path.is_dir() and checkpoint._fault(path) is None


class FailingDisk:
    """Makes the k-th call of one operation of `os` fail, or write short."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, operation: str, k: int, code: int, short: bool = False) -> None:
        self.failed = False
        self._left = k
        self._code = code
        self._short = short
        self._real: Callable[..., Any] = getattr(os, operation)
        monkeypatch.setattr(os, operation, self)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self._left -= 1
        if self._left == 0 and self._short:
            descriptor, content = arguments
            return self._real(descriptor, content[: len(content) // 2])
        if self._left == (-1 if self._short else 0):
            self.failed = True
            raise OSError(self._code, os.strerror(self._code))
        return self._real(*arguments, **keywords)


def standing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


WORDS = {errno.ENOSPC: "the disk is full", errno.EACCES: "may not write", errno.EIO: "the disk refused to write"}


def complaints(folder: Path, monkeypatch: pytest.MonkeyPatch, operation: str, code: int) -> list[str]:
    """What is wrong after the first, second, third … `operation` of a save failed, until none is left to fail."""
    found: list[str] = []
    for k in itertools.count(1):
        here = folder / str(k)
        save_step(here, 100)
        before = save_step(here, 200)
        with monkeypatch.context() as patch:
            disk = FailingDisk(patch, operation, k, code)
            try:
                save_step(here, 300)
                raised = ""
            except StorageError as error:
                raised = str(error)
        if not disk.failed:
            assert k > 1, f"{operation} never happens"
            return found
        manifests = [path for path in here.iterdir() if (path / "manifest.json").exists()]
        checks = {
            "the error says what the disk said, and where": WORDS[code] in raised and str(here) in raised,
            "the one before loads": is_whole(before),
            "the newest is the new one or the one before": step_of_newest(here) in (200, 300),
            "what has a manifest is whole": all(map(is_whole, manifests)),
            "no temporary is left": not any(name.startswith(".tmp-") for name in standing(here)),
        }
        save_step(here, 300)
        checks["the next save succeeds"] = step_of_newest(here) == 300
        # A save that failed after its rename left a whole checkpoint: the next one then stands beside it.
        allowed = ({"step-00000200", "step-00000300"}, {"step-00000300", "step-00000300-1"})
        checks["and tidies up"] = standing(here) in allowed
        found += [f"{operation} {k}: not true that {check}" for check, holds in checks.items() if not holds]
    raise AssertionError


@pytest.mark.parametrize("code", list(WORDS), ids=errno.errorcode.get)
@pytest.mark.parametrize("operation", PATCHED)
def test_whatever_fails_the_checkpoint_before_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, code: int
) -> None:
    assert complaints(tmp_path, monkeypatch, operation, code) == []


def put_in_place(path: Path, contents: Mapping[str, bytes]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        try:
            files.write_file(path / name, content)
        except OSError as error:
            raise files.storage_error(path, error) from error


def put_after_deleting_the_old(
    path: Path, contents: Mapping[str, bytes], put: Callable[..., None] = files.put_folder
) -> None:
    for old in path.parent.glob("step-*"):
        shutil.rmtree(old)
    put(path, contents)


@pytest.mark.parametrize(
    ("sabotage", "complaint"),
    [
        (put_in_place, "write 3: not true that what has a manifest is whole"),
        (put_after_deleting_the_old, "write 1: not true that the one before loads"),
    ],
)
def test_the_harness_complains_of_careless_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sabotage: Callable[..., None], complaint: str
) -> None:
    monkeypatch.setattr(files, "put_folder", sabotage)

    assert complaint in complaints(tmp_path, monkeypatch, "write", errno.ENOSPC)


@pytest.mark.parametrize("operation", [name for name in PATCHED if name not in ("unlink", "rmdir")])
def test_a_first_save_that_fails_leaves_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    for k in itertools.count(1):
        folder = tmp_path / str(k) / "checkpoints"
        with monkeypatch.context() as patch:
            disk = FailingDisk(patch, operation, k, errno.ENOSPC)
            try:
                save_step(folder, 100)
            except StorageError:
                assert not folder.exists() or standing(folder) <= {"step-00000100"}
        if not disk.failed:
            break
        save_step(folder, 100)
        assert step_of_newest(folder) == 100
    assert k > 1


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))

    save_step(tmp_path, 100)

    assert step_of_newest(tmp_path) == 100


def test_a_disk_that_fills_in_the_middle_of_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_step(tmp_path, 100)
    for k in itertools.count(1):
        with monkeypatch.context() as patch:
            disk = FailingDisk(patch, "write", k, errno.ENOSPC, short=True)
            try:
                save_step(tmp_path, 200)
            except StorageError as error:
                assert "the disk is full" in str(error)
        if not disk.failed:
            break
        assert standing(tmp_path) == {"step-00000100"}
    assert k > 3 and step_of_newest(tmp_path) == 200
