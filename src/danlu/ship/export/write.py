"""`danlu export` to ONNX: traced, put together, proved on the run's own test samples, and only then given its name."""

import contextlib
import functools
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from danlu.base.errors import fail
from danlu.base.files import TEMPORARY, absolute, discard, make_folder, rename, storage_error, write_file
from danlu.data.plain import to_plain
from danlu.ship.answerer import Answerer
from danlu.ship.export.assemble import assembled, with_metadata
from danlu.ship.export.feeds import feeds_of
from danlu.ship.export.interface import Interface
from danlu.ship.export.layers import first_difference
from danlu.ship.export.metadata import SCHEMA, refuse_unshown
from danlu.ship.export.onnx_file import OnnxFile, open_onnx
from danlu.ship.export.parts import require_parts
from danlu.ship.export.program import Program
from danlu.ship.export.proof import Evidence, ExportProof, ExportTrial, golden_samples
from danlu.ship.export.trace import in_onnx, traced


@dataclass(frozen=True)
class Exporting:
    """What is exported: the run's `answerer`, a few raw samples as `example`, the `evidence` it is proved on, and what
    is told `about` it in the metadata (recipe, scores, versions, the package). `net` is the "name" and the "options" of
    the net, None for one that was given as an object.
    """

    answerer: Answerer
    example: Any
    evidence: Evidence
    about: Mapping[str, Any]
    raw: bool = False
    net: Mapping[str, Any] | None = None

    @property
    def interface(self) -> Interface:
        return Interface(to_plain(self.answerer.fitted), raw=self.raw)

    def metadata(self) -> dict[str, Any]:
        """What the file says of itself, but for the proof."""
        interface = self.interface
        golden = golden_samples(self.answerer, interface, self.example)
        told = {"schema": SCHEMA, "raw": self.raw, **interface.description(), "preprocessing": interface.plain}
        return {**told, **self.about, "golden": golden}

    def inner_metadata(self) -> dict[str, Any]:
        """The same for what takes and gives numbers: a program of torch."""
        return replace(self, raw=True).metadata()


def export_onnx(exporting: Exporting, path: Path) -> ExportProof:
    """Write the run as one ONNX file. UserError, and nothing is left, where it cannot be written or is not proved."""
    require_parts(writing=True)
    path = new_place(path)
    interface = exporting.interface
    refuse_unshown(interface, path)
    inner = Interface(interface.plain, raw=True)
    program = Program(exporting.answerer, resizes=False)
    model = in_onnx(traced(program, inner, example_tensors(exporting, inner)))
    model = assembled(model, interface, exporting.answerer.fitted.name)
    metadata = exporting.metadata()
    with temporary(path) as place:
        write_file(place, with_metadata(model, metadata))
        file = open_onnx(place)
        proof = proved(exporting, file)
        write_file(place, with_metadata(model, {**metadata, "proof": proof.as_dict()}))
        open_onnx(place)
        rename(place, path)
    return proof


def proved(exporting: Exporting, file: OnnxFile) -> ExportProof:
    """The proof that the file answers as the run does. UserError where it does not."""
    answerer = exporting.answerer
    where = functools.partial(first_difference, file, answerer)
    return ExportTrial(answerer, file.interface, file.answers, where).prove(exporting.evidence)


def example_tensors(exporting: Exporting, inner: Interface) -> list[torch.Tensor]:
    """Two samples or more as the (raw) program takes them, of the net's own size."""
    arrays = feeds_of(exporting.example, inner).arrays
    tensors = [torch.from_numpy(arrays[one.name]) for one in inner.inputs]
    if inner.resizes:
        channels, height, width = inner.sample_shape
        shape = (len(tensors[0]), height, width) if channels == 1 else (len(tensors[0]), height, width, channels)
        tensors = [torch.zeros(shape, dtype=tensors[0].dtype)]
    return [torch.cat([one, one]) if len(one) == 1 else one for one in tensors]


def new_place(path: Path) -> Path:
    """The path where nothing stands yet, its folder there. UserError where something does."""
    path = absolute(path)
    if os.path.lexists(path):
        fail("export.exists", path=path)
    try:
        make_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error
    return path


@contextlib.contextmanager
def temporary(path: Path) -> Generator[Path]:
    """A temporary name beside `path`; nothing of it is left behind. StorageError for what the disk refuses."""
    place = path.with_name(f"{TEMPORARY}{path.name}")
    try:
        yield place
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        discard([place])
