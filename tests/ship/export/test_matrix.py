"""Nets of every kind become one ONNX file that is proved on raw samples, and checked by its golden samples."""

from pathlib import Path
from typing import Any

import numpy
import pytest

from danlu.ship.export import check_exported_file, export_onnx, open_exported, open_onnx
from danlu.ship.export.compare import MOST_DELTA
from danlu.ship.export.feeds import feeds_of
from danlu.ship.export.interface import Interface
from export_cases import CASES, QUICK

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES]


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_proved_and_checked(name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    proof = export_onnx(case.exporting(), tmp_path / "model.onnx")
    assert proof.delta <= MOST_DELTA
    assert proof.batch_sizes == (1, 3, 7)
    assert len(proof.sizes) == (3 if name.startswith(("names", "language", "resized", "transformer")) else 0)
    assert check_exported_file(tmp_path / "model.onnx").passed
    found = open_exported(tmp_path / "model.onnx").predict(case.some(5))
    wanted = case.answerer.predict(case.some(5))
    if case.answerer.fitted.task in ("classification", "language"):
        assert list(found) == list(wanted)
    else:
        assert numpy.allclose(found, wanted, rtol=1e-4)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("name", ["table", "lenet5"])
def test_a_raw_export_holds_no_strings_and_no_labels(name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    export_onnx(case.exporting(raw=True), tmp_path / "raw.onnx")
    assert check_exported_file(tmp_path / "raw.onnx").passed
    file = open_onnx(tmp_path / "raw.onnx")
    kinds = [one.type for one in (*file.session.get_inputs(), *file.session.get_outputs())]
    assert "tensor(string)" not in kinds
    assert not any(node.domain == "ai.onnx.ml" for node in file.model.graph.node)
    assert file.metadata["labels_inside"] is False
    assert file.metadata["strings_inside"] is False


def test_every_column_is_an_input_of_its_name(tmp_path: Path) -> None:
    case = CASES["table"]()
    export_onnx(case.exporting(), tmp_path / "model.onnx")
    session = open_onnx(tmp_path / "model.onnx").session
    kinds = {one.name: one.type for one in session.get_inputs()}
    assert kinds == {
        "age": "tensor(double)",
        "fare": "tensor(double)",
        "deck of ship": "tensor(string)",
        "性别": "tensor(string)",
        "label": "tensor(double)",
        "sold": "tensor(double)",
        "paid": "tensor(double)",
    }
    # The column "label" has that name, so that the output has another.
    assert [one.name for one in session.get_outputs()] == ["label_", "probabilities", "logits"]


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [(["a", "蜂鸟"], "object"), ([3, 7], "int64"), ([False, True], "bool"), ([0.5, 2.25], "float64")],
)
def test_labels_keep_their_type(classes: list[Any], dtype: str) -> None:
    plain = {"task": "classification", "target": {"classes": classes}}
    assert str(Interface(plain).labels.dtype) == dtype
    assert Interface(plain).labels.tolist() == classes


def test_pictures_are_taken_in_every_order_of_axes() -> None:
    case = CASES["resized"]()
    interface = case.interface()
    for given in (case.raw, case.raw.transpose(0, 3, 1, 2), case.raw.tolist()):
        (array,) = feeds_of(given, interface).arrays.values()
        assert numpy.array_equal(array, case.raw)
    assert feeds_of(case.raw[0], interface).count == 1
