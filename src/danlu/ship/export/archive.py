"""The bytes of a .pt2 file, as torch.export keeps a program: looked through before torch sees them.

torch reads some parts of such a file as pickles, and others as Python: sizes go through `sympify`, guards become code,
operators are looked up by their dotted names. None of that is reached by a file that `Archive.of` lets through.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from danlu.base.errors import Fault, fail
from danlu.base.input_files import guarded
from danlu.base.strict_json import to_json
from danlu.ship.export.recurrent import recurrent
from danlu.ship.export.trace import silent

_MOST_PARTS = 100_000
_PART = re.compile(
    r"[^/]+/(data/weights/(weight_\d+|[\w.-]+_config\.json)|data/constants/(tensor_\d+|[\w.-]+_config\.json)"
    r"|models/[\w.-]+\.json|data/sample_inputs/[\w.-]+\.pt|extra/danlu(-net)?\.json|archive_format|archive_version"
    r"|byteorder|version|\.data/[\w.-]+)"
)
_OPERATOR = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+\.\w+|torch\.ops\.danlu\.recurrent\.default|torch\.sym_\w+"
    r"|torch\.ops\.higher_order\.(while_loop|wrap_with_set_grad_enabled)"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge|getitem)|math\.(ceil|floor|trunc|sqrt)"
)
_SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(, (positive|integer|nonnegative)=True)*\)|Integer\(-?\d{1,18}\)")
_SIZE = re.compile(r"L\['inputs'\]\[\d+\]\.size\(\)\[\d+\]")
_ARITHMETIC = re.compile(
    r"(\b(Add|Mul|Min|Max|Pow|Mod|FloorDiv|CleanDiv|CeilToInt|ModularIndexing|PythonMod|Eq|Ne|Le|Lt|Ge|Gt|Rational|s\d+"
    r"|u\d+|and|or|not|True|False)\b|\b\d{1,18}\b|[\s(),+*/%<>=!-])*"
)


def archived(exported: Any, name: str, told: Mapping[str, Any]) -> bytes:
    """An exported program, which loses its examples, with what is `told` of it in a part called `name`."""
    for module in exported.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # lines of the user's own files
    exported._example_inputs = None  # torch would keep them as a pickle
    content = io.BytesIO()
    with silent():
        torch.export.save(exported, content, extra_files={name: to_json(told)})
    return content.getvalue()


@dataclass(frozen=True)
class Archive:
    """A file that was looked through: its bytes, the text of the part that tells of it, and the SHA-256 of what it
    computes, weights apart.
    """

    path: Path
    content: bytes
    told: str
    digest: str

    @classmethod
    def of(cls, content: bytes, path: Path, name: str) -> Self:
        """UserError where the content of `path` is damaged, has no part called `name`, or holds pickles, compiled code,
        packed parts or operators that danlu's have not.
        """
        with guarded(path, "export.damaged"):
            parts = _parts(content)
        fault = next(_dangers(parts, path), None)
        if fault is not None:
            fail(fault.id, **fault.values)
        written = next((parts[part] for part in parts if part.endswith(f"/extra/{name}")), None)
        if written is None:
            fail("export.not-ours", path=path)
        return cls(path, content, written.decode("utf-8", "replace"), _digest(parts))

    def load(self) -> Any:
        """The exported program. UserError where torch cannot read it."""
        assert recurrent is not None  # the operator is registered where it is defined
        with guarded(self.path, "export.damaged"), silent():
            return torch.export.load(io.BytesIO(self.content))


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


def _digest(parts: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(parts):
        inner = name.partition("/")[2]
        if inner.startswith(("models/", "data/constants/")):
            digest.update(f"{inner} {len(parts[name])} ".encode() + parts[name])
    return digest.hexdigest()


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
