"""An export that is wrong is never written: each fault is planted, and the proof (or the check) finds it."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.ship.export import check_exported_file, export_onnx, hub
from danlu.ship.export import write as exporter
from danlu.ship.export.assemble import METADATA, with_metadata
from danlu.ship.export.parts import onnx
from export_tasks import ALL

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

Plant = Callable[[pytest.MonkeyPatch], None]


def changed_model(change: Callable[[Any], None]) -> Plant:
    """The exporter gives a model that is changed before it is proved."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        before = exporter.assembled

        def assembled(*arguments: Any) -> Any:
            model = before(*arguments)
            change(model)
            return model

        monkeypatch.setattr(exporter, "assembled", assembled)

    return plant


def changed_program(change: Callable[[Any], None]) -> Plant:
    """The program is changed before it is traced; the run is not."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        before = exporter.Program

        def made(*arguments: Any, **named: Any) -> Any:
            built = before(*arguments, **named)
            change(built)
            return built

        monkeypatch.setattr(exporter, "Program", made)

    return plant


def frozen(axis: int) -> Plant:
    """The exporter's example decides a size for good."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        before = torch.export.export

        def export(module: Any, arguments: Any, **named: Any) -> Any:
            shapes = [{key: value for key, value in one.items() if key != axis} for one in named["dynamic_shapes"][0]]
            return before(module, arguments, **{**named, "dynamic_shapes": (shapes,)})

        monkeypatch.setattr(torch.export, "export", export)

    return plant


def tensors(model: Any) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def put(tensor: Any, values: Any) -> None:
    tensor.CopyFrom(onnx().numpy_helper.from_array(values, tensor.name))


def swap_labels(model: Any) -> None:
    (lookup,) = [node for node in model.graph.node if node.output[0] == "label"]
    tensor = tensors(model)[lookup.input[0]]
    tensor.string_data[:] = list(tensor.string_data)[::-1]


def one_weight(model: Any) -> None:
    tensor = next(one for name, one in tensors(model).items() if name.endswith("weight"))
    values = onnx().numpy_helper.to_array(tensor).copy()
    values.flat[0] += 0.25
    put(tensor, values)


def half(model: Any) -> None:
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx().TensorProto.FLOAT and len(tensor.dims) > 1:
            put(tensor, onnx().numpy_helper.to_array(tensor).astype(numpy.float16).astype(numpy.float32))


def other_gru(model: Any) -> None:
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "linear_before_reset":
                attribute.i = 0


def no_lengths(model: Any) -> None:
    for node in model.graph.node:
        if node.op_type in ("LSTM", "GRU", "RNN"):
            node.input[4] = ""


def other_filter(model: Any) -> None:
    """ONNX's own Resize to the nearest pixel, for what danlu's nodes do."""
    graph, helper = model.graph, onnx().helper
    nodes = [node for node in graph.node if not node.output[0].startswith("danlu.front")]
    nodes = [node for node in nodes if node.output[0] != "danlu.0"]
    graph.initializer.append(helper.make_tensor("other.sizes", onnx().TensorProto.INT64, [2], [16, 16]))
    resize = helper.make_node("Resize", ["pictures", "", "", "other.sizes"], ["danlu.0"], mode="nearest", axes=[1, 2])
    del graph.node[:]
    graph.node.extend([resize, *nodes])


def dropping(model: Any) -> None:
    """Dropout at work behind the first ReLU, as in a net that was exported while it was training. (ONNX Runtime itself
    leaves out the operator Dropout.)
    """
    graph, helper = model.graph, onnx().helper
    place, relu = next((place, node) for place, node in enumerate(graph.node) if node.op_type == "Relu")
    graph.initializer.append(helper.make_tensor("half", onnx().TensorProto.FLOAT, [], [0.5]))
    mask = [
        helper.make_node("RandomUniformLike", [relu.output[0]], ["drawn"]),
        helper.make_node("Greater", ["drawn", "half"], ["kept"]),
        helper.make_node("Cast", ["kept"], ["ones"], to=onnx().TensorProto.FLOAT),
        helper.make_node("Div", ["ones", "half"], ["mask"]),
        helper.make_node("Mul", [relu.output[0], "mask"], ["dropped"]),
    ]
    for later in graph.node:
        later.input[:] = ["dropped" if name == relu.output[0] else name for name in later.input]
    nodes = [*graph.node[: place + 1], *mask, *graph.node[place + 1 :]]
    del graph.node[:]
    graph.node.extend(nodes)


def statistics_of_batch(built: Any) -> None:
    """Batch normalisation by the batch at hand, as in training. (torch's exporter itself leaves that mode.)"""
    layer = next(one for one in built.net.modules() if isinstance(one, nn.BatchNorm2d))

    def forward(x: torch.Tensor) -> torch.Tensor:
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
        weight, bias = layer.weight.view(-1, 1, 1), layer.bias.view(-1, 1, 1)
        return (x - mean) * torch.rsqrt(variance + layer.eps) * weight + bias

    layer.forward = forward


def without_normalisation(built: Any) -> None:
    built.preprocessing.offset.zero_()
    built.preprocessing.factor.fill_(1 / 255)


def blue_first(built: Any) -> None:
    before = built.preprocessing.forward
    built.preprocessing.forward = lambda inputs: before([inputs[0].flip(-1)])


def another_fill(built: Any) -> None:
    columns = built.preprocessing.columns
    built.preprocessing.columns = tuple(
        replace(one, median=one.median + 5) if hasattr(one, "median") else one for one in columns
    )


def unlimited(built: Any) -> None:
    built.answer.ends = None


def unscaled(built: Any) -> None:
    built.answer.scale.fill_(1.0)


def half_way(built: Any) -> None:
    built.answer.least.fill_(0.5)


def newest_first(built: Any) -> None:
    before = built.preprocessing.forward
    built.preprocessing.forward = lambda inputs: before([one.flip(1) for one in inputs])


def steps_exchanged(built: Any) -> None:
    """What comes after two steps as what comes next."""
    before = built.answer.forward
    built.answer.forward = lambda outputs, x: before(outputs.flip(1), x)


def on_its_side(built: Any) -> None:
    before = built.answer.forward

    def turned(outputs: Any, x: Any) -> Any:
        mask, *others = before(outputs, x)
        return mask.transpose(1, 2), *others

    built.answer.forward = turned


def endless(built: Any) -> None:
    """Tags also behind the end of a text."""
    before = built.answer.forward
    built.answer.forward = lambda outputs, x: before(outputs, torch.ones_like(x))


def as_bytes(built: Any) -> None:
    built.preprocessing.kinds = tuple("numbers" for _ in built.preprocessing.kinds)


def not_standardised(built: Any) -> None:
    built.preprocessing.numbers.standardises = False


def other_tokens(model: Any) -> None:
    (lookup,) = [node for node in model.graph.node if node.op_type == "LabelEncoder"]
    numbers = next(one for one in lookup.attribute if one.name == "values_int64s")
    first, second = numbers.ints[2], numbers.ints[3]
    numbers.ints[2], numbers.ints[3] = second, first


def other_values(model: Any) -> None:
    """The values of two classes of a mask, or two tags, exchanged."""
    (lookup,) = [node for node in model.graph.node if node.output[0] in ("mask", "tags")]
    tensor = tensors(model)[lookup.input[0]]
    if tensor.data_type == onnx().TensorProto.STRING:
        tensor.string_data[0], tensor.string_data[1] = tensor.string_data[1], tensor.string_data[0]
    else:
        put(tensor, onnx().numpy_helper.to_array(tensor)[::-1].copy())


FAULTS: dict[str, tuple[str, Plant, str]] = {
    "normalisation left out": ("lenet5", changed_program(without_normalisation), "preprocessing"),
    "labels swapped": ("lenet5", changed_model(swap_labels), "labels or probabilities"),
    "blue first": ("small-resnet", changed_program(blue_first), "preprocessing"),
    "wrong resize filter": ("resized", changed_model(other_filter), "preprocessing"),
    "training mode, dropout": ("own-module", changed_model(dropping), "does not"),
    "training mode, batch norm": ("small-resnet", changed_program(statistics_of_batch), "layer bn1"),
    "frozen batch": ("lenet5", frozen(0), "does not|cannot"),
    "frozen length": ("names-gru", frozen(1), "does not|cannot"),
    "lengths not used": ("names-gru-both", changed_model(no_lengths), "does not"),
    "another GRU": ("names-gru", changed_model(other_gru), "layer recurrent"),
    "another GRU in an own module": ("own-module", changed_model(other_gru), "layer steps"),
    "one weight changed": ("lenet5", changed_model(one_weight), "layer features.0"),
    "fp16 weights": ("lenet5", changed_model(half), "layer"),
    "fp16 weights of a transformer": ("transformer", changed_model(half), "does not"),
    "another value for gaps": ("table", changed_program(another_fill), "preprocessing"),
    "range limit left out": ("limited", changed_program(unlimited), "labels or probabilities"),
    "labels by half": ("labels", changed_program(half_way), "labels or probabilities"),
    "another value for gaps in a series": ("series-lstm", changed_program(another_fill), "preprocessing"),
    "a window from its end": ("series-lstm", changed_program(newest_first), "preprocessing"),
    "steps of a forecast exchanged": ("series-lstm", changed_program(steps_exchanged), "labels or probabilities"),
    "unit of a forecast left out": ("series-lstm", changed_program(unscaled), "labels or probabilities"),
    "a mask on its side": ("masks", changed_program(on_its_side), "labels or probabilities"),
    "blue first, of a mask": ("masks", changed_program(blue_first), "preprocessing"),
    "a mask's values exchanged": ("masks", changed_model(other_values), "labels or probabilities"),
    "tags exchanged": ("tags-lstm", changed_model(other_values), "labels or probabilities"),
    "tags behind the end": ("tags-lstm", changed_program(endless), "labels or probabilities"),
    "tokens exchanged": ("tags-lstm", changed_model(other_tokens), "preprocessing|layer embed"),
    "lengths not used, of tags": ("tags-lstm", changed_model(no_lengths), "does not"),
    "frozen length, of tags": ("tags-lstm", frozen(1), "does not|cannot"),
    "bytes of an input as they are": ("several-inputs", changed_program(as_bytes), "preprocessing"),
    "an input not standardised": ("several-inputs", changed_program(not_standardised), "preprocessing"),
    "frozen batch of several inputs": ("several-inputs", frozen(0), "does not|cannot"),
    "unit of the target left out": ("regression", changed_program(unscaled), "labels or probabilities"),
}


@pytest.mark.every(48)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_refused(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, plant, where = FAULTS[fault]
    case = ALL[name]()
    plant(monkeypatch)
    with pytest.raises(UserError, match=where):
        export_onnx(case.exporting(), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def mirrored(built: Any) -> None:
    before = built.preprocessing.forward
    built.preprocessing.forward = lambda inputs: before([inputs[0].flip(2)])


def one_weight_of_net(built: Any) -> None:
    next(one for one in built.net.parameters()).data.flatten()[0] += 0.05


def classes_exchanged(built: Any) -> None:
    layer = [one for one in built.net.modules() if isinstance(one, nn.Linear)][-1]
    layer.weight.data = layer.weight.data.flip(0)


OF_PICTURES: dict[str, Callable[[Any], Any]] = {
    "normalisation left out": without_normalisation,
    "blue first": blue_first,
    "mirrored": mirrored,
    "training mode": lambda built: built.net.train(),
    "batch norm by the batch": statistics_of_batch,
    "one weight changed": one_weight_of_net,
    "fp16 weights": lambda built: built.net.half().float(),
    "classes exchanged": classes_exchanged,
}


@pytest.mark.parametrize("fault", OF_PICTURES)
def test_a_folder_of_a_picture_net_is_proved_too(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hub.Program

    def made(*arguments: Any, **named: Any) -> Any:
        built = before(*arguments, **named)
        OF_PICTURES[fault](built)
        return built

    monkeypatch.setattr(hub, "Program", made)
    with pytest.raises(UserError, match="does not answer as the run"):
        hub.export_hub(ALL["small-resnet"]().exporting(), tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


IN_FILES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "labels swapped": ("lenet5", swap_labels),
    "one weight changed": ("lenet5", one_weight),
    "fp16 weights": ("lenet5", half),
    "another GRU": ("names-gru", other_gru),
    "lengths not used": ("names-gru-both", no_lengths),
    "wrong resize filter": ("resized", other_filter),
    "a mask's values exchanged": ("masks", other_values),
    "tags exchanged": ("tags-lstm", other_values),
    "tokens exchanged": ("tags-lstm", other_tokens),
    "one weight of a forecast changed": ("series-lstm", half),
    "fp16 weights of several inputs": ("several-inputs", half),
}


@pytest.mark.every(16)
@pytest.mark.parametrize("fault", IN_FILES)
def test_a_fault_planted_into_a_file_is_found_by_its_golden_samples(
    fault: str, tmp_path: Path, exported: Callable[[str], Path]
) -> None:
    name, change = IN_FILES[fault]
    model = onnx().load(exported(name))
    change(model)
    # The hash is mended too: the golden samples alone must tell.
    metadata = json.loads(next(one.value for one in model.metadata_props if one.key == METADATA))
    (tmp_path / "changed.onnx").write_bytes(with_metadata(model, metadata))
    found = check_exported_file(tmp_path / "changed.onnx")
    assert not found.passed
    assert found.weights
    assert not found.difference.none


def test_weights_that_change_nothing_seen_are_found_by_their_hash(
    tmp_path: Path, exported: Callable[[str], Path]
) -> None:
    model = onnx().load(exported("lenet5"))
    tensor = next(one for name, one in tensors(model).items() if name.endswith("weight"))
    values = onnx().numpy_helper.to_array(tensor).copy()
    values.flat[0] = numpy.nextafter(values.flat[0], numpy.float32(9))
    put(tensor, values)
    (tmp_path / "changed.onnx").write_bytes(model.SerializeToString())
    found = check_exported_file(tmp_path / "changed.onnx")
    assert found.difference.none
    assert not found.weights
    assert not found.passed


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Exports made once."""
    place = tmp_path_factory.mktemp("exported")

    def made(name: str) -> Path:
        path = place / f"{name}.onnx"
        if not path.exists():
            export_onnx(ALL[name]().exporting(), path)
        return path

    return made


def test_the_run_itself_is_not_changed_by_its_export(tmp_path: Path) -> None:
    case = ALL["names-gru"]()
    before = copy.deepcopy(case.answerer.net)
    export_onnx(case.exporting(), tmp_path / "model.onnx")
    assert [type(one) for one in before.modules()] == [type(one) for one in case.answerer.net.modules()]
    for one, other in zip(before.parameters(), case.answerer.net.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.requires_grad == other.requires_grad
