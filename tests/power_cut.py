"""A disk that loses its power: file operations are recorded, and replayed on a model that promises what POSIX does.

Bytes not fsynced may be lost, halved, zero, or have a hole where the first of them were; names made, renamed or removed
may or may not have happened until their folder is fsynced, each for itself.
"""

import errno
import io
import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PATCHED = ("open", "close", "write", "fsync", "replace", "link", "mkdir", "unlink", "rmdir")
Operation = tuple[str, *tuple[Any, ...]]


class Recorder:
    """Carries out the operations of `os` and notes those below `root` in `log`; writing past them is an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.log: list[Operation] = []
        self.refused = ""  # the name of the file or folder whose next fsync fails
        self._root = str(root)
        self._paths: dict[int, str] = {}  # of open descriptors
        self._real = {name: getattr(os, name) for name in PATCHED}
        self._opened = io.open
        for name in PATCHED:
            monkeypatch.setattr(os, name, getattr(self, f"_{name}"))
        monkeypatch.setattr(io, "open", self._refuse_to_write)

    def _note(self, name: str, *details: Any) -> None:
        if details[0].startswith(self._root):
            self.log.append((name, *details))

    def _path(self, path: Any, dir_fd: int | None) -> str:
        return os.path.join(self._paths.get(dir_fd, "") if dir_fd is not None else "", os.fspath(path))

    def _refuse_to_write(self, file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        writes = set(mode) & set("wax+") and str(file).startswith(self._root)
        assert not writes, f"{file} is written past danlu.base.files"
        return self._opened(file, mode, *arguments, **keywords)

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        name = self._path(path, dir_fd)
        descriptor: int = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        self._paths[descriptor] = name
        if flags & os.O_CREAT:
            assert flags & (os.O_TRUNC | os.O_EXCL), "the model knows only files written from the start, or appended to"
            self._note("create", name)
        return descriptor

    def _close(self, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
        self._real["close"](descriptor)

    def _write(self, descriptor: int, content: Any) -> int:
        written: int = self._real["write"](descriptor, content)
        self._note("write", self._paths.get(descriptor, ""), bytes(content[:written]))
        return written

    def _fsync(self, descriptor: int) -> None:
        name = self._paths.get(descriptor, "")
        if self.refused and Path(name).name == self.refused:
            self.refused = ""
            raise OSError(errno.EIO, "Input/output error")
        self._note("fsync", name)  # only the model's disk forgets, so nothing need wait for the real one

    def _replace(self, source: Any, target: Any) -> None:
        self._real["replace"](source, target)
        self._note("rename", os.fspath(source), os.fspath(target))

    def _link(self, source: Any, target: Any) -> None:
        self._real["link"](source, target)
        self._note("link", os.fspath(source), os.fspath(target))

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
    stable: bytes = b""
    pending: list[bytes] = field(default_factory=list[bytes])

    @property
    def live(self) -> bytes:
        return self.stable + b"".join(self.pending)

    def survivors(self) -> list[bytes]:
        """What may be left: what was forced to the disk, and after it nothing, zeros, half of the rest, all of it, or
        all but a hole."""
        if not self.pending:
            return [self.stable]
        rest, first = b"".join(self.pending), len(self.pending[0])
        tails = [b"", bytes(len(rest)), rest[: len(rest) // 2], rest, bytes(first) + rest[first:]]
        return [self.stable + tail for tail in dict.fromkeys(tails)]


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
    """A disk below the folder `root`, which itself is safe; of what may be left of it `most` are told at a time."""

    def __init__(self, root: Path, most: int = 48) -> None:
        self._root = root
        self._most = most
        self._draw = random.Random(0)
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
            node.live[name].pending.append(details[0])
        elif kind == "fsync":
            self._force(node.live[name] if name else node)
        elif kind in ("rename", "link"):
            parent, target = self._parent(details[0])
            assert parent is node, "the model knows only renames within a folder"
            moved = node.live[name]
            gone = name if kind == "rename" else ""
            node.change(lambda names: (names.pop(gone, None), names.__setitem__(target, moved)))

    def survivors(self) -> Iterator[Tree]:
        """What may be found on the disk after a power failure at this moment: all that may, or so many of it."""
        options = {id(node): left for node in self._nodes(self.top) if len(left := node.survivors()) > 1}
        counts = [len(left) for left in options.values()]
        choices: Any = itertools.product(*map(range, counts))
        total = 1
        for count in counts:
            total *= count
        if total > self._most:  # nothing, everything, and others by chance
            drawn = [tuple(self._draw.randrange(count) for count in counts) for _ in range(self._most - 2)]
            choices = [(0,) * len(counts), tuple(count - 1 for count in counts), *drawn]
        for choice in choices:
            yield self._tree(self.top, {key: options[key][index] for key, index in zip(options, choice, strict=True)})

    def _nodes(self, node: File | Folder) -> Iterator[File | Folder]:
        """All files and folders that may be left below `node`, and itself."""
        yield node
        if isinstance(node, Folder):
            inside = {id(one): one for names in node.survivors() for one in names.values()}
            for one in inside.values():
                yield from self._nodes(one)

    def _tree(self, folder: Folder, chosen: dict[int, Any]) -> Tree:
        names: dict[str, Any] = chosen.get(id(folder), folder.live)
        return tuple(
            (name, self._tree(node, chosen) if isinstance(node, Folder) else chosen.get(id(node), node.live))
            for name, node in sorted(names.items())
        )

    def _parent(self, path: str) -> tuple[Folder, str]:
        *above, name = Path(path).relative_to(self._root).parts or ("",)
        node = self.top
        for part in above:
            node = node.live[part]
        return node, name

    def _force(self, node: File | Folder) -> None:
        if isinstance(node, File):
            node.stable, node.pending = node.live, []
        else:
            node.stable, node.pending = dict(node.live), []


def put(tree: Tree, folder: Path) -> None:
    """Write what was left of a disk into the new folder `folder`."""
    folder.mkdir()
    for name, content in tree:
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            put(content, folder / name)
