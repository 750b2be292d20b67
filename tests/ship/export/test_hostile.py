"""Files from anywhere: what reaches beyond itself, describes more than it holds, or is code is refused."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.ship.export import check_exported_file, open_exported
from danlu.ship.export.assemble import METADATA, SCOPES
from danlu.ship.export.metadata import sealed
from danlu.ship.export.parts import onnx
from hostile_programs import IN_PROGRAM, RAN, repacked

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def metadata_of(model: Any) -> Any:
    return next(one for one in model.metadata_props if one.key == METADATA)


def told(model: Any, change: Callable[[dict[str, Any]], None]) -> None:
    entry = metadata_of(model)
    content = json.loads(entry.value)
    change(content)
    entry.value = json.dumps(sealed(content))  # whoever forges them seals them, too


def node(model: Any, *arguments: Any, **attributes: Any) -> None:
    model.graph.node.append(onnx().helper.make_node(*arguments, **attributes))


def external(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx().TensorProto.EXTERNAL
    for key, value in (("location", "../../../../etc/passwd"), ("offset", "0"), ("length", "64")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def external_in_a_constant(model: Any) -> None:
    tensor = onnx().TensorProto(name="far", data_type=1, dims=[1], data_location=onnx().TensorProto.EXTERNAL)
    node(model, "Constant", [], ["far"], value=tensor)


def external_in_a_branch(model: Any) -> None:
    helper = onnx().helper
    tensor = onnx().TensorProto(name="far", data_type=1, dims=[1], data_location=onnx().TensorProto.EXTERNAL)
    out = helper.make_tensor_value_info("far", 1, [1])
    graph = helper.make_graph([], "inner", [], [out], [tensor])
    node(model, "If", ["condition"], ["chosen"], then_branch=graph, else_branch=graph)


def claimed(model: Any) -> None:
    model.graph.initializer.append(
        onnx().TensorProto(name="wide", data_type=1, dims=[2**20, 2**20], raw_data=b"\0" * 4)
    )


def huge_fill(model: Any) -> None:
    model.graph.initializer.append(onnx().numpy_helper.from_array(numpy.array([2**20, 2**20]), "shape"))
    node(model, "ConstantOfShape", ["shape"], ["wide"])


def huge_input(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2**40


def own_operator(model: Any) -> None:
    node(model, "Evil", ["age"], ["evil"], domain="com.example")


def own_function(model: Any) -> None:
    helper = onnx().helper
    inner = helper.make_node("Identity", ["a"], ["b"])
    model.functions.append(
        helper.make_function("com.example", "Evil", ["a"], ["b"], [inner], [helper.make_opsetid("", 20)])
    )


def escapes(content: dict[str, Any]) -> None:
    content["preprocessing"]["target"]["classes"][0] = "\x1b[2J\x1b]0;owned\x07ant"


def escapes_in_a_column(content: dict[str, Any]) -> None:
    content["preprocessing"]["encoder"]["columns"][0]["name"] = "a\x9bge"


def turned(content: dict[str, Any]) -> None:
    content["preprocessing"]["target"]["classes"][0] = "\u202etna"


def wide_sizes(content: dict[str, Any]) -> None:
    content["preprocessing"]["sample_shape"] = [2**40]


def odd_sizes(content: dict[str, Any]) -> None:
    content["preprocessing"]["outputs"] = "many"


def other_columns(content: dict[str, Any]) -> None:
    content["preprocessing"]["encoder"]["columns"].pop()


def one_end(content: dict[str, Any]) -> None:
    column = next(one for one in content["preprocessing"]["encoder"]["columns"] if one["type"] == "number")
    column["low"], column["high"] = None, 3.0


def odd_ranges(content: dict[str, Any]) -> None:
    content["preprocessing"]["encoder"]["ranges"] = {"low": ["0"], "high": [1, 2]}


def later(content: dict[str, Any]) -> None:
    content["schema"] = 99


def no_preprocessing(content: dict[str, Any]) -> None:
    content["preprocessing"] = ["nothing"]


IN_MODEL: dict[str, tuple[Callable[[Any], None], str]] = {
    "weights in another file": (external, "another file"),
    "a constant in another file": (external_in_a_constant, "another file"),
    "a branch's weights in another file": (external_in_a_branch, "another file"),
    "a tensor that claims more than it holds": (claimed, "claims more"),
    "a fill of a terabyte": (huge_fill, "more memory"),
    "an input of a terabyte": (huge_input, "more memory"),
    "an operator of others": (own_operator, "operator"),
    "a function of its own": (own_function, "operator"),
}
IN_METADATA: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "escape sequences in a class": (escapes, r"control characters"),
    "a control character in a column": (escapes_in_a_column, "control characters"),
    "a class that turns the direction of writing": (turned, "control characters"),
    "huge sizes": (wide_sizes, "not a valid"),
    "sizes that are none": (odd_sizes, "not a valid"),
    "other columns than the graph has": (other_columns, "inputs or outputs"),
    "a range with one end": (one_end, "not a valid"),
    "ranges that are none": (odd_ranges, "not a valid"),
    "of a later danlu": (later, "later version"),
    "no preprocessing": (no_preprocessing, "not a valid"),
}


@pytest.mark.every(2)
@pytest.mark.parametrize("fault", IN_MODEL)
def test_a_hostile_graph_is_refused(fault: str, made: Path, tmp_path: Path) -> None:
    change, words = IN_MODEL[fault]
    model = onnx().load(made / "model.onnx")
    change(model)
    refused(tmp_path / "hostile.onnx", model.SerializeToString(), words)


@pytest.mark.parametrize("fault", IN_METADATA)
def test_hostile_metadata_are_refused(fault: str, made: Path, tmp_path: Path) -> None:
    change, words = IN_METADATA[fault]
    model = onnx().load(made / "model.onnx")
    told(model, change)
    refused(tmp_path / "hostile.onnx", model.SerializeToString(), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a valid"),
        (b"\x08", "not a valid"),
        (b"not a model at all", "not a valid|not exported by danlu"),
        (b"\x80\x04N.", "not a valid|not exported by danlu"),
    ],
)
@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_what_is_no_model_is_refused(content: bytes, words: str, ending: str, tmp_path: Path) -> None:
    refused(tmp_path / f"hostile.{ending}", content, words)


def test_a_file_cut_off_anywhere_is_refused(made: Path, tmp_path: Path) -> None:
    for ending in ("onnx", "pt2"):
        content = (made / f"model.{ending}").read_bytes()
        for share in (0.1, 0.5, 0.9, 0.999):
            refused(tmp_path / f"cut.{ending}", content[: int(len(content) * share)], ".")


def test_a_model_of_others_is_told_apart(tmp_path: Path, made: Path) -> None:
    model = onnx().load(made / "model.onnx")
    del model.metadata_props[:]
    refused(tmp_path / "foreign.onnx", model.SerializeToString(), "was not exported by danlu")


def test_a_file_above_the_limit_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANLU_MAX_FILE_GB", "0.000001")
    for name in ("model.onnx", "model.pt2"):
        with pytest.raises(UserError, match="DANLU_MAX_FILE_GB"):
            open_exported(made / name)


def refused(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        check_exported_file(path)
    assert "\x1b" not in str(error.value)
    assert not RAN


@pytest.mark.parametrize("fault", IN_PROGRAM)
def test_a_hostile_program_is_refused(fault: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change, words = IN_PROGRAM[fault]
    monkeypatch.chdir(tmp_path)
    refused(tmp_path / "hostile.pt2", repacked(made / "model.pt2", change), words)
    assert not (tmp_path / "ran").exists()


def test_a_packed_program_is_refused(made: Path, tmp_path: Path) -> None:
    """torch packs nothing: what is packed may unfold into more than the machine has."""

    def bomb(parts: dict[str, bytes]) -> None:
        parts["model/data/weights/weight_0"] = b"\0" * 10_000_000

    refused(tmp_path / "bomb.pt2", repacked(made / "model.pt2", bomb, zipfile.ZIP_DEFLATED), "packed")


def in_config(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        change(content["danlu"])
        content["danlu"] = sealed(content["danlu"])
        (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")

    return changed


def other_weights(folder: Path) -> None:
    import safetensors.numpy

    safetensors.numpy.save_file({"layers.0.weight": numpy.zeros((2, 2), numpy.float32)}, folder / "model.safetensors")


IN_FOLDER: dict[str, tuple[Callable[[Path], None], str]] = {
    "a net of 10^18 weights": (
        in_config(lambda one: one["net"]["options"].update(hidden=[10**9, 10**9])),
        "not a valid|not the weights",
    ),
    "a net that there is not": (in_config(lambda one: one["net"].update(name="os.system")), "not a valid"),
    "an option that there is not": (in_config(lambda one: one["net"]["options"].update(evil=1)), "not a valid"),
    "a type that there is not": (in_config(lambda one: one["net"].update(dtype="__import__")), "not a valid"),
    "escape sequences": (in_config(escapes), "control characters"),
    "other weights": (other_weights, "not the weights"),
    "weights that are none": (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 64) and None, "."),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "missing"),
    "nested without end": (
        lambda folder: (folder / "config.json").write_text("[" * 100_000, encoding="utf-8") and None,
        "not a valid|nested",
    ),
}


@pytest.mark.parametrize("fault", IN_FOLDER)
def test_a_hostile_folder_is_refused(fault: str, made: Path, tmp_path: Path) -> None:
    import shutil

    change, words = IN_FOLDER[fault]
    folder = tmp_path / "folder"
    shutil.copytree(made / "model", folder)
    change(folder)
    with pytest.raises(UserError, match=words):
        check_exported_file(folder)


def test_nothing_of_the_users_files_is_in_an_export(made: Path) -> None:
    """torch notes the lines of code that a node comes from: they are the user's own."""
    model = onnx().load(made / "model.onnx")
    keys = {entry.key for one in model.graph.node for entry in one.metadata_props}
    assert keys == {SCOPES}
    for name in ("model.onnx", "model.pt2"):
        content = (made / name).read_bytes()
        assert b"site-packages" not in content
        assert str(Path(__file__).parent).encode() not in content
