"""The forms that a run can be exported in, by the name of what is written."""

from pathlib import Path

from danlu.base.errors import fail
from danlu.ship.export.hub import export_hub
from danlu.ship.export.program_file import export_program
from danlu.ship.export.proof import ExportProof
from danlu.ship.export.write import Exporting, export_onnx


def export(exporting: Exporting, path: Path) -> ExportProof:
    """Write the run in the form that the name of `path` says: .onnx, .pt2, or no ending for a folder in the layout of
    the Hub. UserError for any other.
    """
    ending = path.suffix.lower()
    if ending == ".onnx":
        return export_onnx(exporting, path)
    if exporting.raw:
        fail("export.raw-only-onnx", path=path)
    if ending == ".pt2":
        return export_program(exporting, path)
    if ending:
        fail("export.unknown-kind", path=path)
    return export_hub(exporting, path)
