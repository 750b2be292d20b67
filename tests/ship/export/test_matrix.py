"""Nets of every kind become one ONNX file that is proved on raw samples, and checked by its golden samples."""

from pathlib import Path
from typing import Any

import numpy
import pytest

from danlu.ship.export import check_exported_file, export_onnx, open_exported, open_onnx
from danlu.ship.export.compare import MOST_DELTA
from danlu.ship.export.feeds import feeds_of
from danlu.ship.export.interface import Interface
from export_cases import CASES
from export_tasks import ALL, QUICK

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

VARYING = ("names", "language", "resized", "transformer", "tags")
"""Nets that take samples of any length, or size."""
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ALL]


def as_lists(answers: Any) -> list[Any]:
    return [one.tolist() if isinstance(one, numpy.ndarray | numpy.generic) else one for one in answers]


@pytest.mark.every(12)
@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_proved_and_checked(name: str, tmp_path: Path) -> None:
    case = ALL[name]()
    proof = export_onnx(case.exporting(), tmp_path / "model.onnx")
    assert proof.delta <= MOST_DELTA
    assert proof.batch_sizes == (1, 3, 7)
    assert len(proof.sizes) == (3 if name.startswith(VARYING) or name.endswith("resized") else 0)
    assert check_exported_file(tmp_path / "model.onnx").passed
    found = open_exported(tmp_path / "model.onnx").predict(case.some(5))
    wanted = case.answerer.predict(case.some(5))
    if case.answerer.fitted.task not in ("regression", "reconstruction"):
        assert as_lists(found) == as_lists(wanted)
    else:
        assert numpy.allclose(found, wanted, rtol=1e-4)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.every(6)
@pytest.mark.parametrize("name", ["table", "lenet5", "tags-lstm", "masks", "labels", "series-lstm"])
def test_a_raw_export_holds_no_strings_and_no_labels(name: str, tmp_path: Path) -> None:
    case = ALL[name]()
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


INTERFACES: dict[str, tuple[dict[str, str], list[str]]] = {
    "labels": ({"size": "tensor(double)", "kind": "tensor(string)"}, ["labels", "probabilities", "logits"]),
    "series-lstm": (
        {"temp": "tensor(double)", "wind": "tensor(double)", "sky": "tensor(string)", "town": "tensor(string)"},
        ["value", "outputs"],
    ),
    "masks": ({"pictures": "tensor(uint8)"}, ["mask", "probabilities", "logits"]),
    "tags-lstm": ({"tokens": "tensor(string)"}, ["tags", "probabilities", "logits"]),
    "several-inputs": (
        {"image": "tensor(uint8)", "size": "tensor(double)", "wet": "tensor(bool)", "words": "tensor(int64)"},
        ["label", "probabilities", "logits"],
    ),
    "several-by-place": ({"x0": "tensor(double)", "x1": "tensor(double)"}, ["value", "outputs"]),
}


@pytest.mark.parametrize("name", INTERFACES)
def test_what_goes_in_and_comes_out_has_names(name: str) -> None:
    inputs, outputs = INTERFACES[name]
    interface = ALL[name]().interface()
    kinds = {"object": "string", "float64": "double"}
    assert {one.name: f"tensor({kinds.get(one.dtype, one.dtype)})" for one in interface.inputs} == inputs
    assert list(interface.outputs) == outputs


@pytest.mark.slow
def test_labels_come_by_their_own_thresholds(tmp_path: Path) -> None:
    case = ALL["labels"]()
    export_onnx(case.exporting(), tmp_path / "model.onnx")
    file = open_onnx(tmp_path / "model.onnx")
    assert file.metadata["thresholds"] == [0.3, 0.55, 0.7]
    assert file.metadata["labels"] == ["red", "round", "蓝"]
    feeds = feeds_of(case.raw, file.interface)
    given, likely, _ = file.session.run(None, feeds.arrays)
    assert given.dtype == bool
    assert numpy.array_equal(given, likely >= numpy.array([0.3, 0.55, 0.7]))
    assert ((likely >= 0.5) != given).any()


@pytest.mark.slow
def test_masks_hold_the_values_of_the_training_masks(tmp_path: Path) -> None:
    case = ALL["masks"]()
    export_onnx(case.exporting(), tmp_path / "model.onnx")
    file = open_onnx(tmp_path / "model.onnx")
    mask, _, _ = file.session.run(None, feeds_of(case.raw, file.interface).arrays)
    assert mask.shape == (24, 13, 13)
    assert set(numpy.unique(mask)) <= {0, 7, 14}
    assert file.metadata["classes"] == {"0": "0", "7": "7", "14": "14"}


@pytest.mark.every(2)
@pytest.mark.parametrize("raw", [False, True])
def test_nothing_is_tagged_behind_the_end_of_a_text(raw: bool, tmp_path: Path) -> None:
    case = ALL["tags-lstm"]()
    export_onnx(case.exporting(raw=raw), tmp_path / "model.onnx")
    file = open_onnx(tmp_path / "model.onnx")
    feeds = feeds_of([["the", "dog"], ["a", "dog", "ran"]], file.interface)
    tags = file.session.run(None, feeds.arrays)[0]
    assert (tags == (-1 if raw else "")).tolist() == [[False, False, True, True, True], [False] * 3 + [True] * 2]
    # "" is a token of these sentences, so that something else stands behind an end.
    assert file.interface.padding == (0 if raw else "padding")
