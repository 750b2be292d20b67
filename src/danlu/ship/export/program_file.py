"""A .pt2 file: the program as torch.export keeps it, with what danlu tells of it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from danlu.base.errors import fail
from danlu.base.files import rename, write_file
from danlu.base.input_files import guarded, read_file
from danlu.base.strict_json import to_json
from danlu.ship.export.archive import Archive, archived
from danlu.ship.export.exported import ExportedNet
from danlu.ship.export.feeds import Feeds
from danlu.ship.export.interface import Interface
from danlu.ship.export.metadata import checked_metadata, sealed
from danlu.ship.export.onnx_file import FileAnswers, answers_of
from danlu.ship.export.program import Program
from danlu.ship.export.proof import ExportProof, ExportTrial
from danlu.ship.export.trace import silent, traced
from danlu.ship.export.write import Exporting, example_tensors, new_place, temporary

METADATA = "danlu.json"


def export_program(exporting: Exporting, path: Path) -> ExportProof:
    """Write the run as one .pt2 file. UserError, and nothing is left, where it cannot be written or is not proved."""
    path = new_place(path)
    inner = Interface(exporting.interface.plain, raw=True)
    program = Program(exporting.answerer, resizes=inner.resizes)
    exported = traced(program, inner, example_tensors(exporting, inner))
    metadata = exporting.inner_metadata() | {"weights_sha256": tensors_digest(exported.state_dict)}
    metadata |= {"graph_sha256": Archive.of(archived(exported, METADATA, {}), path, METADATA).digest}
    with temporary(path) as place:
        write_file(place, archived(exported, METADATA, sealed(metadata)))
        net = open_program(place)
        proof = ExportTrial(exporting.answerer, inner, net.answers).prove(exporting.evidence)
        write_file(place, archived(exported, METADATA, sealed({**metadata, "proof": proof.as_dict()})))
        open_program(place)
        rename(place, path)
    return proof


def open_program(path: Path) -> ExportedNet:
    """The exported network in the .pt2 file at `path`. UserError for one that is damaged, was not exported by danlu, or
    holds pickles, compiled code, packed parts or operators that danlu's have not.
    """
    archive = Archive.of(read_file(path), path, METADATA)
    metadata = checked_metadata(archive.told, path)
    if metadata.get("graph_sha256", archive.digest) != archive.digest:
        fail("export.changed-description", path=path)
    if not metadata["raw"]:
        fail("export.other-interface", path=path)
    exported = archive.load()
    with guarded(path, "export.damaged"), silent():
        module = exported.module(check_guards=False)
    program = RunningProgram(path, module, Interface(metadata["preprocessing"], raw=True))
    return ExportedNet(path, metadata, program.answers, lambda: tensors_digest(exported.state_dict))


@dataclass(frozen=True)
class RunningProgram:
    """A program that can be asked: the raw inputs as tensors to its outputs."""

    path: Path
    run: Callable[[list[torch.Tensor]], Any]
    interface: Interface

    def answers(self, feeds: Feeds) -> FileAnswers:
        """What it says of samples. UserError where it fails."""
        with guarded(self.path, "export.run-failed"), torch.no_grad():
            tensors = [torch.from_numpy(feeds.arrays[one.name].copy()) for one in self.interface.inputs]
            found = [output.numpy() for output in self.run(tensors)]
            return answers_of(found, self.interface, feeds.count)


def tensors_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of tensors: name, type, shape and content of each, by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(to_json([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
