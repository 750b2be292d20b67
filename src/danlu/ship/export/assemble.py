"""The ONNX file: what torch translated, strings in front of it, labels behind it, and the metadata."""

import ast
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from danlu.base.errors import fail
from danlu.base.strict_json import to_json
from danlu.data.table.fitted import CategoryColumn
from danlu.ship.export.interface import Interface
from danlu.ship.export.metadata import sealed
from danlu.ship.export.nodes import ML, Nodes, code_of_category, label_of_class, number_of_token, resized
from danlu.ship.export.parts import onnx

METADATA = "danlu"
SCOPES = "pkg.torch.onnx.name_scopes"
"""The metadata of a node that says which module it comes from."""
PREPROCESSING = "preprocessing"
"""The name of the part of a program that stands before its net."""
_MOST_BYTES = 2**31 - 1  # protobuf's own limit


def assembled(model: Any, interface: Interface, title: str) -> Any:
    """The model (changed in place) with the names and the ends that `interface` says."""
    graph, raw = model.graph, Interface(interface.plain, raw=True)
    _forget_sources(graph)
    inside = [f"danlu.{place}" for place in range(len(graph.input))]
    ends = ["danlu.found", *(f"danlu.end.{place}" for place in range(1, len(graph.output)))]
    renames = dict(zip([one.name for one in graph.input], inside, strict=True))
    renames |= {old.name: new for old, new in zip(graph.output, ends, strict=True)}
    _rename(graph, renames)
    front, back = Nodes("danlu.front"), Nodes("danlu.back")
    for place, (given, plain) in enumerate(zip(interface.inputs, raw.inputs, strict=True)):
        column = interface.columns[place] if interface.columns else None
        if isinstance(column, CategoryColumn) and not interface.raw:
            _same(front, code_of_category(front, given.name, column, interface), inside[place])
        elif interface.takes_tokens:
            _same(front, number_of_token(front, given.name, interface), inside[place])
        elif interface.resizes:
            channels, *sides = interface.sample_shape
            bytes_ = given.dtype == "uint8"
            _same(front, resized(front, given.name, tuple(sides), channels, bytes_=bytes_), inside[place])
        else:
            _same(front, plain.name, inside[place])
    for place, (end, name) in enumerate(zip(ends, interface.outputs, strict=True)):
        if place == 0 and interface.has_labels and not interface.raw:
            label_of_class(back, end, interface.labels, to=name)
        else:
            _same(back, end, name)
    _put_together(model, interface, front, back)
    model.producer_name, model.graph.name = "danlu", title
    if not any(one.domain == ML for one in model.opset_import):
        model.opset_import.append(onnx().helper.make_opsetid(ML, 3))
    return model


def with_metadata(model: Any, metadata: Mapping[str, Any]) -> bytes:
    """The bytes of the file; its metadata name the SHA-256 of its initialisers and of its nodes."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    digests = {"weights_sha256": weights_digest(model), "graph_sha256": graph_digest(model)}
    entry.key, entry.value = METADATA, to_json(sealed({**metadata, **digests}))
    if model.ByteSize() > _MOST_BYTES:
        fail("export.too-large", limit="2 GiB")
    return model.SerializeToString(deterministic=True)


def weights_digest(model: Any) -> str:
    """SHA-256 of all initialisers of the graph: name, type, shape and content, by name."""
    digest = hashlib.sha256()
    for tensor in sorted(model.graph.initializer, key=lambda one: one.name):
        values = onnx().numpy_helper.to_array(tensor)
        told = [tensor.name, int(tensor.data_type), list(tensor.dims)]
        digest.update(to_json(told).encode())
        digest.update(to_json([str(one) for one in values.flatten()]).encode() if values.dtype == object else
                      values.tobytes())  # fmt: skip
    return digest.hexdigest()


def graph_digest(model: Any) -> str:
    """SHA-256 of all nodes of the graph, in their order."""
    digest = hashlib.sha256()
    for node in model.graph.node:
        digest.update(node.SerializeToString(deterministic=True))
    return digest.hexdigest()


def module_of(node: Any) -> str | None:
    """The name of the net's module that a node was made of, or `PREPROCESSING`; None for all else.

    torch writes the scopes as the list of their names, from the outermost to the operator.
    """
    written = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), None)
    try:
        scopes = ast.literal_eval(written or "[]")
    except (ValueError, SyntaxError):
        return None
    if PREPROCESSING in scopes[:-1]:
        return PREPROCESSING
    inside = [scope.removeprefix("net.") for scope in scopes[:-1] if scope.startswith("net.")]
    return inside[-1] if inside else None


def _forget_sources(graph: Any) -> None:
    """The exporter notes lines of the user's own files: only the names of modules stay."""
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                _forget_sources(inner)
        kept = [(entry.key, entry.value) for entry in node.metadata_props if entry.key == SCOPES]
        del node.metadata_props[:]
        for key, value in kept:
            entry = node.metadata_props.add()
            entry.key, entry.value = key, value
        node.doc_string = ""
    for one in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del one.metadata_props[:]
    del graph.metadata_props[:]


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                _rename(inner, names)


def _same(nodes: Nodes, name: str, to: str) -> None:
    nodes("Identity", name, to=to)


def _put_together(model: Any, interface: Interface, front: Nodes, back: Nodes) -> None:
    graph, helper = model.graph, onnx().helper
    body = list(graph.node)
    inputs = [
        helper.make_tensor_value_info(one.name, getattr(onnx().TensorProto, _KINDS[one.dtype]), one.shape)
        for one in interface.inputs
    ]
    outputs = [_output(one, name) for one, name in zip(graph.output, interface.outputs, strict=True)]
    if interface.has_labels and not interface.raw:
        outputs[0].type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(interface.labels.dtype)
    _replace(graph.node, [*front.nodes, *body, *back.nodes])
    graph.initializer.extend([*front.constants, *back.constants])
    _replace(graph.input, inputs)
    _replace(graph.output, outputs)
    # Shapes in between are told once more by whoever wants them; their names for sizes are torch's.
    del graph.value_info[:]


_KINDS = {
    "object": "STRING",
    "int64": "INT64",
    "float64": "DOUBLE",
    "float32": "FLOAT",
    "uint8": "UINT8",
    "bool": "BOOL",
}


def _output(one: Any, name: str) -> Any:
    """An output under another name, its varying sizes called N and T as those of the inputs are."""
    made = type(one)()
    made.CopyFrom(one)
    made.name = name
    for axis, side in enumerate(made.type.tensor_type.shape.dim):
        if side.HasField("dim_param"):
            side.dim_param = "N" if axis == 0 else "T" if axis == 1 else f"D{axis}"
    return made


def _replace(field: Any, values: Iterable[Any]) -> None:
    values = list(values)
    del field[:]
    field.extend(values)
