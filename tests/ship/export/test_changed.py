"""An export in which anything was changed is refused where it is asked, and fails where it is checked."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.ship.export import check_exported_file, open_exported
from danlu.ship.export.assemble import METADATA
from danlu.ship.export.metadata import sealed
from danlu.ship.export.parts import onnx
from export_cases import CASES
from hostile_programs import repacked

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def flipped_in_folder(path: Path) -> None:
    """The last value of the weights, in its last bit: nothing that samples would show."""
    content = bytearray((path / "model.safetensors").read_bytes())
    content[-4] ^= 1
    (path / "model.safetensors").write_bytes(content)


def flipped_in_program(path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        name = next(name for name in parts if name.endswith("/data/weights/weight_0"))
        parts[name] = bytes([parts[name][0] ^ 1]) + parts[name][1:]

    path.write_bytes(repacked(path, change))


def flipped_in_onnx(path: Path) -> None:
    model = onnx().load(path)
    tensor = next(one for one in model.graph.initializer if one.name.endswith("weight"))
    values = onnx().numpy_helper.to_array(tensor).copy()
    values.flat[0] = numpy.nextafter(values.flat[0], numpy.float32(9))
    tensor.CopyFrom(onnx().numpy_helper.from_array(values, tensor.name))
    path.write_bytes(model.SerializeToString())


def described(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """The description is changed, in whatever it lies."""

    def act(path: Path) -> None:
        if path.suffix == ".onnx":
            model = onnx().load(path)
            entry = next(one for one in model.metadata_props if one.key == METADATA)
            entry.value = changed(entry.value)
            path.write_bytes(model.SerializeToString())
        elif path.suffix == ".pt2":
            path.write_bytes(repacked(path, in_program))
        else:
            content = json.loads((path / "config.json").read_text(encoding="utf-8"))
            change(content["danlu"])
            (path / "config.json").write_text(json.dumps(content), encoding="utf-8")

    def changed(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    def in_program(parts: dict[str, bytes]) -> None:
        name = next(name for name in parts if name.endswith("/extra/danlu.json"))
        parts[name] = changed(parts[name].decode()).encode()

    return act


def other_mean(content: dict[str, Any]) -> None:
    column = next(one for one in content["preprocessing"]["encoder"]["columns"] if one["type"] == "number")
    column["mean"] += 0.5


def other_golden(content: dict[str, Any]) -> None:
    content["golden"][0]["answers"]["values"]["strings"][0] += "s"


def other_score(content: dict[str, Any]) -> None:
    content["scores"]["test"]["accuracy"] = 1.0


def turned_in_onnx(path: Path) -> None:
    """What divides by the deviations, divides the other way round."""
    model = onnx().load(path)
    node = next(node for node in model.graph.node if node.op_type == "Div")
    node.input[:] = [*node.input][::-1]
    path.write_bytes(model.SerializeToString())


def turned_in_program(path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        name = next(name for name in parts if name.endswith("models/model.json"))
        assert b"torch.ops.aten.relu.default" in parts[name]
        parts[name] = parts[name].replace(b"torch.ops.aten.relu.default", b"torch.ops.aten.tanh.default")

    path.write_bytes(repacked(path, change))


WEIGHTS = {"model": flipped_in_folder, "model.pt2": flipped_in_program, "model.onnx": flipped_in_onnx}
DESCRIPTIONS = {"a mean": other_mean, "a golden answer": other_golden, "a score": other_score}


@pytest.mark.parametrize("name", WEIGHTS)
def test_one_flipped_weight_is_refused(name: str, made: Path, tmp_path: Path) -> None:
    path = copied(made / name, tmp_path / name)
    assert open_exported(path).predict(CASES["table"]().some(2)) is not None
    WEIGHTS[name](path)
    with pytest.raises(UserError, match="weights are not those it was written with"):
        open_exported(path)
    found = check_exported_file(path)
    assert found.difference.none and not found.weights and not found.passed


@pytest.mark.parametrize("what", DESCRIPTIONS)
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_changed_description_is_refused(name: str, what: str, made: Path, tmp_path: Path) -> None:
    path = copied(made / name, tmp_path / name)
    described(DESCRIPTIONS[what])(path)
    for opened in (open_exported, check_exported_file):
        with pytest.raises(UserError, match="was changed after it was written"):
            opened(path)


@pytest.mark.parametrize(("name", "turn"), [("model.onnx", turned_in_onnx), ("model.pt2", turned_in_program)])
def test_a_changed_graph_is_refused(name: str, turn: Callable[[Path], None], made: Path, tmp_path: Path) -> None:
    path = copied(made / name, tmp_path / name)
    turn(path)
    with pytest.raises(UserError, match="was changed after it was written"):
        open_exported(path)


def test_an_export_of_before_the_seal_is_read(made: Path, tmp_path: Path) -> None:
    path = copied(made / "model", tmp_path / "model")
    described(lambda content: content.pop("checksum"))(path)
    assert check_exported_file(path).passed
    content = json.loads((path / "config.json").read_text(encoding="utf-8"))["danlu"]
    assert sealed(content) == {**content, "checksum": sealed(content)["checksum"]}


def copied(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target))
