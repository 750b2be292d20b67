"""Descriptions of files of the newer tasks that are made to be misread, and answers of another shape, are refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.ship.export import check_exported_file, export, open_exported
from danlu.ship.export.assemble import METADATA, with_metadata
from danlu.ship.export.metadata import sealed
from danlu.ship.export.parts import onnx
from export_tasks import TASKS

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def encoder(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["preprocessing"]["encoder"].update(changed)


def target(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["preprocessing"]["target"].update(changed)


def another_task(content: dict[str, Any]) -> None:
    content["preprocessing"]["task"] = "tagging"


OF_TASKS: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "fewer thresholds than labels": ("labels", target(thresholds=[0.5]), "not a valid"),
    "thresholds that are none": ("labels", target(thresholds=["much", 1, 2]), "not a valid"),
    "fewer labels than outputs": ("labels", target(classes=["red", "round"]), "not a valid"),
    "escape sequences in a label": ("labels", target(classes=["red", "\x1b[31m", "c"]), "control characters"),
    "labels for tags": ("labels", another_task, "not a valid|inputs or outputs"),
    "no window": ("series-mlp", encoder(window=None), "not a valid"),
    "another window": ("series-mlp", encoder(window=7), "inputs or outputs"),
    "no clock": ("series-mlp", encoder(clock={}), "not a valid"),
    "a time that is a category": ("series-mlp", encoder(time={"type": "category", "name": "t", "values": ["a"],
                                                              "missing": False}), "not a valid"),
    "escape sequences in a group": ("series-mlp", encoder(group="\x1b[31m"), "control characters"),
    "no inputs": ("several-by-place", encoder(layout={"named": True, "pieces": []}), "inputs or outputs"),
    "an input of no kind": ("several-by-place", encoder(layout={"named": True, "pieces": [
        {"name": "0", "shape": [3], "numbers": "code"}]}), "not a valid"),
}  # fmt: skip


@pytest.fixture(scope="module")
def of_tasks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Exports of other tasks, each made once."""
    place = tmp_path_factory.mktemp("of-tasks")

    def path(name: str) -> Path:
        if not (place / f"{name}.onnx").exists():
            export(TASKS[name]().exporting(), place / f"{name}.onnx")
        return place / f"{name}.onnx"

    return path


@pytest.mark.every(12)
@pytest.mark.parametrize("fault", OF_TASKS)
def test_hostile_metadata_of_every_task_are_refused(
    fault: str, of_tasks: Callable[[str], Path], tmp_path: Path
) -> None:
    name, change, words = OF_TASKS[fault]
    model = onnx().load(of_tasks(name))
    entry = next(one for one in model.metadata_props if one.key == METADATA)
    content = json.loads(entry.value)
    change(content)
    entry.value = json.dumps(sealed(content))
    (tmp_path / "hostile.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=words):
        open_exported(tmp_path / "hostile.onnx")


def test_answers_of_another_shape_are_refused(of_tasks: Callable[[str], Path], tmp_path: Path) -> None:
    """A mask where labels are promised: found when the file is asked, in one sentence."""
    model = onnx().load(of_tasks("labels"))
    (last,) = [node for node in model.graph.node if node.output[0] == "labels"]
    last.output[0] = "flat"
    model.graph.initializer.append(onnx().numpy_helper.from_array(numpy.array([-1]), "all"))
    model.graph.node.append(onnx().helper.make_node("Reshape", ["flat", "all"], ["labels"]))
    metadata = json.loads(next(one.value for one in model.metadata_props if one.key == METADATA))
    (tmp_path / "hostile.onnx").write_bytes(with_metadata(model, metadata))
    with pytest.raises(UserError, match="cannot be run: .*shape"):
        check_exported_file(tmp_path / "hostile.onnx")
