"""A harness that cuts the power at every moment of a sequence of saves.

The file operations are recorded and replayed on a model disk that promises no more than POSIX does: bytes not fsynced
may be lost, halved or zero; names made, renamed or removed may or may not have happened until their folder is fsynced,
each for itself.
"""

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from danlu.base.errors import StorageError
from danlu.train.checkpoint import load_newest, save

PATCHED = ("open", "write", "fsync", "replace", "mkdir", "unlink", "rmdir")
FATES = 4  # what may become of bytes not forced to the disk
Operation = tuple[str, *tuple[Any, ...]]


class Recorder:
    """Carries out the operations of `os` and notes those below `root` in `log`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.log: list[Operation] = []
        self.refused = ""  # the name of the file or folder whose next fsync fails
        self._root = str(root)
        self._paths: dict[int, str] = {}  # of open descriptors
        self._real = {name: getattr(os, name) for name in PATCHED}
        for name in PATCHED:
            monkeypatch.setattr(os, name, getattr(self, f"_{name}"))

    def _note(self, name: str, *details: Any) -> None:
        if details[0].startswith(self._root):
            self.log.append((name, *details))

    def _path(self, path: Any, dir_fd: int | None) -> str:
        return os.path.join(self._paths.get(dir_fd, "") if dir_fd is not None else "", os.fspath(path))

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        name = self._path(path, dir_fd)
        descriptor: int = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        self._paths[descriptor] = name
        if flags & os.O_CREAT:
            assert flags & os.O_TRUNC, "the model knows only files written from the start"
            self._note("create", name)
        return descriptor

    def _write(self, descriptor: int, content: Any) -> int:
        written: int = self._real["write"](descriptor, content)
        self._note("write", self._paths.get(descriptor, ""), bytes(content[:written]))
        return written

    def _fsync(self, descriptor: int) -> None:
        name = self._paths.get(descriptor, "")
        if self.refused and Path(name).name == self.refused:
            self.refused = ""
            raise OSError(errno.EIO, "Input/output error")
        self._real["fsync"](descriptor)
        self._note("fsync", name)

    def _replace(self, source: Any, target: Any) -> None:
        self._real["replace"](source, target)
        self._note("rename", os.fspath(source), os.fspath(target))

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._real["mkdir"](path, mode, dir_fd=dir_fd)
        self._note("mkdir", self._path(path, dir_fd))

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        name = self._path(path, dir_fd)
        self._real["unlink"](path, dir_fd=dir_fd)
        self._note("remove", name)

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        name = self._path(path, dir_fd)
        self._real["rmdir"](path, dir_fd=dir_fd)
        self._note("remove", name)


@dataclass(eq=False)
class File:
    live: bytes = b""
    stable: bytes = b""

    def survivors(self) -> list[bytes]:
        """What may be left of the bytes: those forced to the disk, zeros, the first half, or all."""
        if self.live == self.stable:
            return [self.live] * FATES
        return [self.stable, bytes(len(self.live)), self.live[: len(self.live) // 2], self.live]


Change = Callable[[dict[str, Any]], None]
Tree = tuple[tuple[str, Any], ...]  # names with bytes or trees, in order


@dataclass(eq=False)
class Folder:
    live: dict[str, Any] = field(default_factory=dict[str, Any])
    stable: dict[str, Any] = field(default_factory=dict[str, Any])
    pending: list[Change] = field(default_factory=list[Change])

    def change(self, change: Change) -> None:
        change(self.live)
        self.pending.append(change)

    def survivors(self) -> list[dict[str, Any]]:
        """The lists of names that may be left: any of the changes not forced to the disk may be missing."""
        count = len(self.pending)
        if count <= 6:
            choices = list(itertools.product((False, True), repeat=count))
        else:  # prefixes, each alone, each missing
            choices = [tuple(index < length for index in range(count)) for length in range(count + 1)]
            choices += [tuple(index == one for index in range(count)) for one in range(count)]
            choices += [tuple(index != one for index in range(count)) for one in range(count)]
        survivors: list[dict[str, Any]] = []
        for choice in choices:
            names = dict(self.stable)
            for change, happened in zip(self.pending, choice, strict=True):
                if happened:
                    change(names)
            survivors.append(names)
        return survivors


class ModelDisk:
    """A disk below the folder `root`, which itself is safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.top = Folder()

    def apply(self, operation: Operation) -> None:
        kind, path, *details = operation
        node, name = self._parent(path)
        if kind == "create":
            new_file = File()
            node.change(lambda names: names.__setitem__(name, new_file))
        elif kind == "mkdir":
            new_folder = Folder()
            node.change(lambda names: names.__setitem__(name, new_folder))
        elif kind == "remove":
            node.change(lambda names: names.pop(name, None))
        elif kind == "write":
            node.live[name].live += details[0]
        elif kind == "fsync":
            self._force(node.live[name] if name else node)
        elif kind == "rename":
            parent, target = self._parent(details[0])
            assert parent is node, "the model knows only renames within a folder"
            moved = node.live[name]
            node.change(lambda names: (names.pop(name, None), names.__setitem__(target, moved)))

    def survivors(self) -> Iterator[Tree]:
        """All that may be found on the disk after a power failure at this moment."""
        for fate in range(FATES):
            yield from self._trees(self.top, fate)

    def _trees(self, folder: Folder, fate: int) -> Iterator[Tree]:
        for names in folder.survivors():
            below = [
                [(name, node.survivors()[fate])]
                if isinstance(node, File)
                else [(name, tree) for tree in self._trees(node, fate)]
                for name, node in sorted(names.items())
            ]
            yield from itertools.product(*below)

    def _parent(self, path: str) -> tuple[Folder, str]:
        *above, name = Path(path).relative_to(self._root).parts or ("",)
        node = self.top
        for part in above:
            node = node.live[part]
        return node, name

    def _force(self, node: File | Folder) -> None:
        if isinstance(node, File):
            node.stable = node.live
        else:
            node.stable, node.pending = dict(node.live), []


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


def put(tree: Tree, folder: Path) -> None:
    folder.mkdir()
    for name, content in tree:
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            put(content, folder / name)


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
