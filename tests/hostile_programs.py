"""Programs of torch that would run code, read files or take memory if they were read as torch reads them."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

RAN: list[str] = []


class Running:
    """A pickle that runs code when it is read."""

    def __reduce__(self) -> Any:
        return RAN.append, ("ran",)


def repacked(source: Path, change: Callable[[dict[str, bytes]], None], packing: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def in_json(ending: str, change: Callable[[Any], None]) -> Callable[[dict[str, bytes]], None]:
    def changed(parts: dict[str, bytes]) -> None:
        name = next(name for name in parts if name.endswith(ending))
        content = json.loads(parts[name])
        change(content)
        parts[name] = json.dumps(content).encode()

    return changed


def first_symbol(content: Any) -> dict[str, Any]:
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and "expr_str" in one:
            return one
        waiting += list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
    raise AssertionError("no symbol")


def first_node(content: Any) -> dict[str, Any]:
    return content["graph_module"]["graph"]["nodes"][0]


def put(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    def changed(parts: dict[str, bytes]) -> None:
        top = next(iter(parts)).partition("/")[0]
        parts[f"{top}/{name}"] = content

    return changed


CODE = "__import__('os').system('touch ran')"
IN_PROGRAM: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "example inputs that are a pickle": (put("data/sample_inputs/model.pt", pickle.dumps(Running())), "pickle"),
    "weights that are a pickle": (
        in_json("model_weights_config.json", lambda one: next(iter(one["config"].values())).update(use_pickle=True)),
        "pickle",
    ),
    "an object of a class": (put("data/constants/opaque_obj_0", pickle.dumps(Running())), "does not export"),
    "compiled code": (put("data/aotinductor/model/evil.so", b"\x7fELF"), "does not export"),
    "a part outside": (put("../../evil", b""), "does not export"),
    "code for a size": (
        in_json("models/model.json", lambda one: first_symbol(one).update(expr_str=CODE)),
        "holds code",
    ),
    "code inside of a size": (
        in_json("models/model.json", lambda one: first_symbol(one).update(expr_str=f"Add(Integer(1), {CODE})")),
        "holds code",
    ),
    "code for a guard": (in_json("models/model.json", lambda one: one.update(guards_code=[CODE])), "holds code"),
    "an operator that loads": (
        in_json("models/model.json", lambda one: first_node(one).update(target="torch.hub.load")),
        "operator",
    ),
    "an operator that reads files": (
        in_json("models/model.json", lambda one: first_node(one).update(target="torch.ops.aten.from_file.default")),
        "operator",
    ),
    "other weights than described": (put("data/weights/weight_0", b"\0\0"), "not a valid"),
    "no description": (lambda parts: [parts.pop(name) for name in list(parts) if "extra" in name] and None, "not expo"),
}
