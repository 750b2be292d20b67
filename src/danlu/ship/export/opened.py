"""Opening what was exported, of whatever kind it is, and checking it by the golden samples in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, fail
from danlu.base.input_files import path_kind
from danlu.ship import export
from danlu.ship.export.compare import Difference
from danlu.ship.export.exported import ExportedNet
from danlu.ship.export.samples import BATCH_SIZES, in_batches, known


@dataclass(frozen=True)
class ExportCheck:
    """What `danlu check` found of an exported network: whether its weights are those it was written with, and what lies
    between its answers to the golden samples and those of the run.
    """

    path: Path
    format: str
    samples: int
    difference: Difference
    weights: bool

    @property
    def passed(self) -> bool:
        return self.weights and self.difference.none

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "format": self.format,
            "passed": self.passed,
            "samples": self.samples,
            "weights_unchanged": self.weights,
            "labels_differing": self.difference.labels,
            "max_delta": self.difference.delta,
            "max_output_delta": self.difference.outputs,
            "batch_sizes": list(BATCH_SIZES),
        }

    def __str__(self) -> str:
        values = {"path": self.path, "samples": self.samples, "delta": f"{self.difference.delta:.2g}"}
        told = [Fault("export.check-passed" if self.passed else "export.check-failed", values)]
        if not self.weights:
            told.append(Fault("export.check-weights"))
        if not self.difference.none:
            worst = max(self.difference.delta, self.difference.outputs)
            told.append(Fault("export.check-answers", {"labels": self.difference.labels, "delta": f"{worst:.3g}"}))
        return "\n".join(map(str, told))


def open_exported(path: Path) -> ExportedNet:
    """The exported network at `path`: an .onnx, a .pt2 or a folder in the layout of the Hub. UserError where it is
    missing, damaged, has other weights than it was written with, or holds what none of danlu's does.
    """
    net = _opened(path)
    if not net.is_unchanged:
        fail("export.changed-weights", path=path)
    return net


def _opened(path: Path) -> ExportedNet:
    if path_kind(path) == "missing":
        fail("ship.no-such-file", path=path)
    if path.name.lower().endswith(".onnx"):
        file = export.open_onnx(path)
        return ExportedNet(path, file.metadata, file.answers, lambda: file.digest)
    if path.is_dir():
        return export.open_hub(path)
    return export.open_program(path)


def check_exported_file(path: Path) -> ExportCheck:
    """Prove an exported network by the golden samples in it: in batches of 1, 3 and 7, at every size it has them in."""
    net = _opened(path)
    total, samples = Difference(), 0
    for group in net.metadata["golden"]:
        try:
            feeds, answers = known(group)
        except (ValueError, KeyError, TypeError) as error:
            fail("export.damaged", path=path, reason=f"{type(error).__name__}: {error}"[:200])
        total = total.and_then(in_batches(net.answers, feeds, answers, BATCH_SIZES, net.interface))
        samples += feeds.count
    if not samples:
        fail("export.no-golden", path=path)
    kind = "hub" if path.is_dir() else path.suffix.lower().removeprefix(".")
    return ExportCheck(path, kind, samples, total, net.is_unchanged)
