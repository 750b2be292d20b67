"""Checkpoints: folders of safetensors files and a manifest with their hashes, whole or not counted.

The manifest ends in a hash over its own text before that, so a damaged one is known as such. There is no pointer to
the latest: the newest checkpoint whose hashes all hold is it. Nothing is ever unpickled.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from danlu.base import files
from danlu.base.errors import Fault, StorageError, UserError, fail
from danlu.base.strict_json import from_exact_json, to_exact_json
from danlu.train.tensor_file import Tensors, pack, unpack

FORMAT = 1
MANIFEST = "manifest.json"
_SEAL = ', "sha256": "'  # what follows it is the hash of all that stands before it


@dataclass(frozen=True)
class Checkpoint:
    """A state of training: tensors by part ("weights", "optimizer", …) and name, and plain JSON values."""

    path: Path
    step: int
    parts: dict[str, dict[str, torch.Tensor]]
    state: dict[str, Any]
    hashes: dict[str, str]  # the SHA-256 of each part's file

    def file(self, part: str) -> Path:
        """The file that a part lies in."""
        return self.path / f"{part}.safetensors"


@dataclass(frozen=True)
class Newest:
    """The newest whole checkpoint, if any, and what to tell the user of newer ones that are damaged."""

    checkpoint: Checkpoint | None
    skipped: tuple[Fault, ...]


def save(folder: Path, step: int, parts: Mapping[str, Tensors], state: Mapping[str, Any], *, keep: int = 2) -> Path:
    """Write `folder/step-00001200` and force it to the disk; return its path.

    The new checkpoint is read back and its hashes verified before those beyond the newest `keep` are deleted. Where the
    step stands there whole already (saved before its validation, say), the new one is `step-00001200-1`, and newer.
    StorageError where the disk refuses; the checkpoints before then still stand. TypeError where `state` holds what
    JSON does not give back as it was.
    """
    if keep < 1:
        raise ValueError(f"keep must be at least 1, got {keep}")
    content = _files(step, parts, state)
    whole = [order[1] for order, path in _standing(folder) if order[0] == step and _fault(path) is None]
    order = (step, max(whole) + 1 if whole else 0)
    path = _path(folder, order)
    files.remove_leftovers(folder)
    files.remove_folder(path, first=MANIFEST)
    files.put_folder(path, content)
    if fault := _fault(path):
        files.remove_folder(path, first=MANIFEST)
        raise StorageError(Fault("checkpoint.not-read-back", {"what": fault}))
    _retire(folder, order, keep)
    return path


def load_newest(folder: Path, wanted: Callable[[Collection[str]], str] | None = None) -> Newest:
    """The newest whole checkpoint in `folder`; damaged ones are passed over, each with a fault that says so. Where one
    part is all that is `wanted`, chosen among those there are, only that is read, and has to be whole.
    """
    skipped: list[Fault] = []
    for _, path in reversed(_standing(folder)):
        try:
            return Newest(_loaded(path, wanted), tuple(skipped))
        except UserError as error:
            skipped.append(Fault("checkpoint.skipped", {"name": path.name, "what": error.faults[0]}))
    return Newest(None, tuple(skipped))


def load_whole(folder: Path) -> Iterator[Checkpoint]:
    """All whole checkpoints in `folder`, oldest first; damaged ones are passed over."""
    for _, path in _standing(folder):
        with contextlib.suppress(UserError):
            yield _loaded(path)


def saved_weights(file: Path) -> dict[str, torch.Tensor] | None:
    """The weights in one file of a checkpoint, by the net's own names, tied and averaged ones too; None where `file` is
    none. UserError where it is damaged.
    """
    part = _noted(file)
    return None if part is None else of_the_net(unpack(_content(file.parent, part), part))


def hash_of_part(file: Path) -> str | None:
    """The SHA-256 of one file of a checkpoint, as that notes it; None where `file` is none."""
    part = _noted(file)
    return None if part is None else part["sha256"]


def _noted(file: Path) -> dict[str, Any] | None:
    """What a checkpoint notes of one of its files."""
    if not (file.parent / MANIFEST).is_file():
        return None
    parts = _manifest(file.parent)["parts"]
    return next((part for part in parts.values() if part["file"] == file.name), None)


def of_the_net(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A part of weights by the net's own names: those of a moving average have the names of what averages them.

    >>> list(of_the_net({"n_averaged": torch.ones(1), "module.bias": torch.ones(2)}))
    ['bias']
    """
    if "n_averaged" not in tensors:
        return tensors
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items() if name != "n_averaged"}


def _loaded(path: Path, wanted: Callable[[Collection[str]], str] | None = None) -> Checkpoint:
    """A checkpoint, the hashes of what is read of it verified; UserError naming the file that is missing or damaged."""
    manifest = _manifest(path)
    taken = manifest["parts"] if wanted is None else [wanted(manifest["parts"])]
    parts = {name: unpack(_content(path, manifest["parts"][name]), manifest["parts"][name]) for name in taken}
    hashes = {name: part["sha256"] for name, part in manifest["parts"].items()}
    return Checkpoint(path, manifest["step"], parts, manifest["state"], hashes)


def _files(step: int, parts: Mapping[str, Tensors], state: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes of every file of a checkpoint."""
    contents: dict[str, bytes] = {}
    notes: dict[str, Any] = {}
    for part, tensors in parts.items():
        content, note = pack(tensors)
        name = f"{part}.safetensors"
        contents[name] = content
        notes[part] = {"file": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **note}
    manifest = {"format": FORMAT, "step": step, "parts": notes, "state": dict(state)}
    text = to_exact_json(manifest)
    sealed = f'{text[:-1]}{_SEAL}{hashlib.sha256(text[:-1].encode()).hexdigest()}"}}\n'
    return {**contents, MANIFEST: sealed.encode()}


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest of the checkpoint folder `path`, its hash verified; UserError where it is missing or damaged."""
    file = path / MANIFEST
    text = _bytes(file).decode("ascii", errors="replace")
    body, _, seal = text.rpartition(_SEAL)
    if seal != f'{hashlib.sha256(body.encode()).hexdigest()}"}}\n':
        fail("checkpoint.damaged-manifest", path=file)
    manifest = from_exact_json(f"{body}}}")
    if manifest["format"] > FORMAT:
        fail("checkpoint.newer-format", path=file, found=manifest["format"], known=FORMAT)
    return manifest


def _content(path: Path, part: Mapping[str, Any]) -> bytes:
    """The bytes of one part, its size and hash verified."""
    file = path / part["file"]
    content = _bytes(file)
    if len(content) != part["size"]:
        fail("checkpoint.wrong-size", path=file, found=len(content), wanted=part["size"])
    if hashlib.sha256(content).hexdigest() != part["sha256"]:
        fail("checkpoint.wrong-hash", path=file)
    return content


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        fail("checkpoint.missing-file", path=file)
    except OSError as error:
        fail("checkpoint.unreadable", path=file, reason=error.strerror or error)


def _fault(path: Path) -> Fault | None:
    """What is wrong with the checkpoint `path`; None where every hash holds."""
    try:
        for part in _manifest(path)["parts"].values():
            _content(path, part)
    except UserError as error:
        return error.faults[0]
    return None


def _path(folder: Path, order: tuple[int, int]) -> Path:
    """The folder of a checkpoint by its place in the order: the step, and how many of that step came before it."""
    step, serial = order
    return folder / (f"step-{step:08d}-{serial}" if serial else f"step-{step:08d}")


def _standing(folder: Path) -> list[tuple[tuple[int, int], Path]]:
    """The checkpoints in `folder`, whole or not, oldest first."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        fail("checkpoint.unreadable", path=folder, reason=error.strerror or error)
    found = [re.fullmatch(r"step-(\d{8,})(?:-(\d+))?", name) for name in names]
    orders = sorted((int(match.group(1)), int(match.group(2) or 0)) for match in found if match)
    return [(order, _path(folder, order)) for order in orders]


def _retire(folder: Path, order: tuple[int, int], keep: int) -> None:
    """Delete the checkpoints before `order`, but for the newest that make `keep` with it; damaged ones do not count."""
    kept = 1
    for _, path in reversed([entry for entry in _standing(folder) if entry[0] < order]):
        if kept < keep and _fault(path) is None:
            kept += 1
        else:
            files.remove_folder(path, first=MANIFEST)
