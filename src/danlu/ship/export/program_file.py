"""A .pt2 file: the program as torch.export keeps it, with what danlu tells of it; looked through before torch sees it.

torch reads some parts of such a file as pickles, and others as Python: sizes go through `sympify`, guards become code,
operators are looked up by their dotted names. None of that is reached by a file that `open_program` lets through.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from danlu.base.errors import Fault, fail
from danlu.base.files import rename, write_file
from danlu.base.input_files import guarded, read_file
from danlu.base.strict_json import to_json
from danlu.ship.export.exported import ExportedNet
from danlu.ship.export.feeds import Feeds
from danlu.ship.export.interface import Interface
from danlu.ship.export.metadata import checked_metadata
from danlu.ship.export.onnx_file import FileAnswers, answers_of
from danlu.ship.export.program import Program
from danlu.ship.export.proof import ExportProof, ExportTrial
from danlu.ship.export.trace import silent, traced
from danlu.ship.export.write import Exporting, example_tensors, new_place, temporary

METADATA = "danlu.json"
_MOST_PARTS = 100_000
_PART = re.compile(
    r"[^/]+/(data/weights/(weight_\d+|[\w.-]+_config\.json)|data/constants/(tensor_\d+|[\w.-]+_config\.json)"
    r"|models/[\w.-]+\.json|data/sample_inputs/[\w.-]+\.pt|extra/danlu\.json|archive_format|archive_version"
    r"|byteorder|version|\.data/[\w.-]+)"
)
_OPERATOR = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+\.\w+|torch\.ops\.danlu\.recurrent\.default|torch\.sym_\w+"
    r"|torch\.ops\.higher_order\.while_loop"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge|getitem)|math\.(ceil|floor|trunc|sqrt)"
)
_SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(, (positive|integer|nonnegative)=True)*\)|Integer\(-?\d{1,18}\)")
_SIZE = re.compile(r"L\['inputs'\]\[\d+\]\.size\(\)\[\d+\]")
_ARITHMETIC = re.compile(
    r"(\b(Add|Mul|Min|Max|Pow|Mod|FloorDiv|CleanDiv|CeilToInt|ModularIndexing|PythonMod|Eq|Ne|Le|Lt|Ge|Gt|Rational|s\d+"
    r"|u\d+|and|or|not|True|False)\b|\b\d{1,18}\b|[\s(),+*/%<>=!-])*"
)


def export_program(exporting: Exporting, path: Path) -> ExportProof:
    """Write the run as one .pt2 file. UserError, and nothing is left, where it cannot be written or is not proved."""
    path = new_place(path)
    inner = Interface(exporting.interface.plain, raw=True)
    program = Program(exporting.answerer, resizes=inner.resizes)
    exported = traced(program, inner, example_tensors(exporting, inner))
    metadata = exporting.inner_metadata() | {"weights_sha256": tensors_digest(exported.state_dict)}
    with temporary(path) as place:
        _write(exported, metadata, place)
        net = open_program(place)
        proof = ExportTrial(exporting.answerer, inner, net.answers).prove(exporting.evidence)
        _write(exported, {**metadata, "proof": proof.as_dict()}, place)
        open_program(place)
        rename(place, path)
    return proof


def _write(exported: Any, metadata: Mapping[str, Any], place: Path) -> None:
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # lines of the user's own files
    exported._example_inputs = None  # torch would keep them as a pickle
    content = io.BytesIO()
    with silent():
        torch.export.save(exported, content, extra_files={METADATA: to_json(metadata)})
    write_file(place, content.getvalue())


def open_program(path: Path) -> ExportedNet:
    """The exported network in the .pt2 file at `path`. UserError for one that is damaged, was not exported by danlu, or
    holds pickles, compiled code, packed parts or operators that danlu's have not.
    """
    content = read_file(path)
    with guarded(path, "export.damaged"):
        parts = _parts(content)
    fault = next(_dangers(parts, path), None)
    if fault is not None:
        fail(fault.id, **fault.values)
    written = next((parts[name] for name in parts if name.endswith(f"/extra/{METADATA}")), None)
    if written is None:
        fail("export.not-ours", path=path)
    metadata = checked_metadata(written.decode("utf-8", "replace"), path)
    if not metadata["raw"]:
        fail("export.other-interface", path=path)
    with guarded(path, "export.damaged"), silent():
        exported = torch.export.load(io.BytesIO(content))
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


def _parts(content: bytes) -> dict[str, bytes]:
    """The parts of the archive by name; ValueError where torch and Python could read it differently."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if len(names) > _MOST_PARTS or len({name.lower() for name in names}) < len(names):
            raise ValueError("parts of one name")
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries):
            raise ValueError("packed parts")
        return {name: archive.read(name) for name in names}


def _dangers(parts: Mapping[str, bytes], path: Path) -> Iterator[Fault]:
    for name, content in parts.items():
        if not _PART.fullmatch(name):
            yield Fault("export.foreign-part", {"path": path, "name": name[-80:]})
        elif "/data/sample_inputs/" in name and content:
            yield Fault("export.pickle", {"path": path, "name": name[-80:]})
        elif name.endswith("_config.json") or "/models/" in name:
            try:
                yield from _of_json(json.loads(content), path)
            except (ValueError, RecursionError) as error:
                yield Fault("export.damaged", {"path": path, "reason": str(error)[:100]})


def _of_json(value: Any, path: Path) -> Iterator[Fault]:
    """Everything in a part that torch would read as something else than a number or a name."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        waiting += list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
        if not isinstance(one, dict):
            continue
        if one.get("use_pickle"):
            yield Fault("export.pickle", {"path": path, "name": str(one.get("path_name"))[:80]})
        if "target" in one and not (isinstance(one["target"], str) and _OPERATOR.fullmatch(one["target"])):
            yield Fault("export.foreign-operator", {"path": path, "operator": str(one["target"])[:80]})
        for text, known in [(one.get("expr_str"), _SYMBOL), *((guard, _SIZE) for guard in _guards(one))]:
            if text is not None and not _is_arithmetic(text, known):
                yield Fault("export.foreign-code", {"path": path, "found": str(text)[:80]})


def _guards(one: Mapping[str, Any]) -> list[Any]:
    guards = one.get("guards_code") or []
    return guards if isinstance(guards, list) else [0]


def _is_arithmetic(text: Any, known: "re.Pattern[str]") -> bool:
    """Whether a text is nothing but sizes, numbers and what computes with them."""
    return isinstance(text, str) and len(text) < 10_000 and bool(_ARITHMETIC.fullmatch(known.sub("1", text)))
