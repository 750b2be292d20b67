"""An exported .onnx file from anywhere: looked through before the runtime sees it, then asked; without torch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.input_files import guarded, read_file
from danlu.ship.export.assemble import METADATA, graph_digest, weights_digest
from danlu.ship.export.feeds import Feeds
from danlu.ship.export.interface import Interface
from danlu.ship.export.metadata import checked_metadata
from danlu.ship.export.parts import onnx, onnxruntime

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_MOST_VALUES = 2**28  # of one tensor that a file describes without holding it: a gigabyte of float32
_SHAPED = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Reshape": 1, "Range": 1, "OneHot": 1}
_TYPES = {"object": "tensor(string)", "bool": "tensor(bool)", "float64": "tensor(double)", "float32": "tensor(float)"}


@dataclass(frozen=True)
class FileAnswers:
    """What an exported net says of N samples: labels or numbers [N], of several labels whether each is given, [N, L],
    masks [N, H, W], or tags, or the tokens of a text, [N, T] with "" behind the end; probabilities of classes, [N, C]
    and with the places behind that; and its outputs, of a text how many tokens it has.
    """

    values: Any
    probabilities: Any | None
    outputs: Any


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """An exported file: its `metadata`, its `model` (onnx.ModelProto) and the runtime that carries it out."""

    path: Path
    metadata: Mapping[str, Any]
    model: Any
    session: Any

    @cached_property
    def interface(self) -> Interface:
        return Interface(self.metadata["preprocessing"], raw=self.metadata["raw"])

    def answers(self, feeds: Feeds) -> FileAnswers:
        """What it says of samples. UserError where the runtime fails."""
        with guarded(self.path, "export.run-failed"):
            found = self.session.run(list(self.interface.outputs), dict(feeds.arrays))
            return answers_of(found, self.interface, feeds.count)

    @cached_property
    def digest(self) -> str:
        return weights_digest(self.model)


def answers_of(found: Any, interface: Interface, count: int) -> FileAnswers:
    """Outputs for `count` samples, in the order of the interface, as answers; a raw file's classes become labels here.
    ValueError, or IndexError, where they are none to its task.
    """
    if interface.task == "translation":
        answers = FileAnswers(interface.labels[found[0]] if interface.raw else found[0], None, found[1])
        fits = answers.values.ndim == 2 and len(answers.values) == count and answers.outputs.shape == (count,)
    elif not interface.is_likely:
        answers = FileAnswers(found[0], None, found[1])
        fits = len(answers.values) == count and answers.values.dtype.kind in "iuf"
    else:
        values = interface.labels[found[0]] if interface.raw and interface.has_labels else found[0]
        answers = FileAnswers(values, found[1], found[2])
        axes, outputs, shape = _AXES.get(interface.task, 1), interface.plain["outputs"], found[1].shape
        fits = values.ndim == axes and len(values) == shape[0] == count
        fits = fits and shape[-1 if interface.task == "tagging" else 1] == outputs
        fits = fits and (interface.task != "multi-label" or (values.dtype == bool and values.shape[1] == outputs))
    if not fits:
        raise ValueError(f"answers of the shape {list(answers.values.shape)}")
    return answers


_AXES = {"multi-label": 2, "segmentation": 3, "tagging": 2}
"""How many axes answers have, where it is more than one."""


def open_onnx(path: Path) -> OnnxFile:
    """The exported file at `path`. UserError for one that is damaged, was not exported by danlu, reaches beyond itself
    (external data, operators of others), or describes more than it holds.
    """
    content = read_file(path)
    model = onnx().ModelProto()
    with guarded(path, "export.damaged"):
        model.ParseFromString(content)
    written = next((entry.value for entry in model.metadata_props if entry.key == METADATA), None)
    if written is None:
        fail("export.not-ours" if model.HasField("graph") else "export.damaged", path=path, reason="no graph")
    fault = next(_dangers(model, path), None)
    if fault is not None:
        fail(fault.id, **fault.values)
    metadata = checked_metadata(written, path)
    if metadata.get("graph_sha256") not in (None, graph_digest(model)):
        fail("export.changed-description", path=path)
    return session_of(content, model, metadata, path)


def session_of(content: bytes, model: Any, metadata: Mapping[str, Any], path: Path) -> OnnxFile:
    """The file with its runtime. UserError where that refuses it, or it does not take what its metadata say."""
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    with guarded(path, "export.damaged"):
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    file = OnnxFile(path, metadata, model, session)
    wanted = {
        one.name: (_TYPES.get(one.dtype, f"tensor({one.dtype})"), _fixed(one.shape)) for one in file.interface.inputs
    }
    found = {one.name: (one.type, _fixed(one.shape)) for one in session.get_inputs()}
    outputs = {one.name for one in session.get_outputs()}
    if found != wanted or not outputs.issuperset(file.interface.outputs):
        fail("export.other-interface", path=path)
    return file


def _fixed(shape: Sequence[Any]) -> list[int | None]:
    """The sizes that do not vary; None for each that does."""
    return [side if isinstance(side, int) else None for side in shape]


def _dangers(model: Any, path: Path) -> Iterator[Fault]:
    """What a file must not hold."""
    if model.functions:
        yield Fault("export.foreign-operator", {"path": path, "operator": model.functions[0].name})
    constants: dict[str, Any] = {}
    for graph in _graphs(model.graph):
        for tensor in graph.initializer:
            yield from _tensor_dangers(tensor, path)
            constants[tensor.name] = tensor
        if graph.sparse_initializer:
            yield Fault("export.odd-tensor", {"path": path, "name": "sparse"})
        for node in graph.node:
            if node.domain not in DOMAINS:
                yield Fault("export.foreign-operator", {"path": path, "operator": f"{node.domain}.{node.op_type}"})
            for attribute in node.attribute:
                held = [*attribute.tensors, *([attribute.t] if attribute.HasField("t") else [])]
                for tensor in held:
                    yield from _tensor_dangers(tensor, path)
                if node.op_type == "Constant" and held:
                    constants[node.output[0]] = held[0]
        for one in (*graph.input, *graph.output, *graph.value_info):
            sides = [side.dim_value for side in one.type.tensor_type.shape.dim]
            if math.prod(side for side in sides if side) > _MOST_VALUES or min(sides, default=0) < 0:
                yield Fault("export.too-many-values", {"path": path, "name": one.name[:80]})
    for graph in _graphs(model.graph):
        for node in graph.node:
            yield from _shape_dangers(node, constants, path)


def _graphs(graph: Any) -> Iterator[Any]:
    """The graph and all inside of it."""
    waiting = [graph]
    while waiting:
        one = waiting.pop()
        yield one
        for node in one.node:
            for attribute in node.attribute:
                waiting += [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]


def _tensor_dangers(tensor: Any, path: Path) -> Iterator[Fault]:
    if tensor.data_location == onnx().TensorProto.EXTERNAL or tensor.external_data:
        yield Fault("export.external-data", {"path": path, "name": tensor.name[:80]})
        return
    sides = list(tensor.dims)
    held = max(len(tensor.raw_data), *(len(getattr(tensor, field)) for field in _FIELDS))
    if min(sides, default=0) < 0 or math.prod(sides) > 8 * held:  # the smallest types have two values, or more, a byte
        yield Fault("export.odd-tensor", {"path": path, "name": tensor.name[:80]})


_FIELDS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


def _shape_dangers(node: Any, constants: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """A constant shape, or length, that asks for more memory than an answer needs."""
    place = _SHAPED.get(node.op_type)
    if place is None or len(node.input) <= place or node.input[place] not in constants:
        return
    tensor = constants[node.input[place]]
    if math.prod(tensor.dims) > 64:
        return
    values = numpy.abs(onnx().numpy_helper.to_array(tensor).astype(numpy.float64).flatten())
    if not math.prod(values[values > 0].tolist()) <= _MOST_VALUES:
        yield Fault("export.too-many-values", {"path": path, "name": node.name[:80] or node.op_type})
