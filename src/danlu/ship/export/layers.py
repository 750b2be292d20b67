"""At which layer an exported net begins to differ: what its nodes give beside what the run's modules give."""

from collections.abc import Iterator
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from danlu.base.errors import DanluError, Fault
from danlu.base.input_files import guarded
from danlu.ship.answerer import Answerer
from danlu.ship.export.assemble import PREPROCESSING, module_of
from danlu.ship.export.compare import MOST_OUTPUT_DELTA
from danlu.ship.export.feeds import Feeds
from danlu.ship.export.onnx_file import OnnxFile
from danlu.ship.export.parts import onnx, onnxruntime


def first_difference(file: OnnxFile, answerer: Answerer, feeds: Feeds, encoded: Tensor) -> Fault | str:
    """The first layer, in the order of the run, whose values the file does not have; "" where it cannot be looked into.

    A layer may be merged into the one before it, a normalisation into a convolution say: what counts is whether its
    values are found among those of the nodes that were made of it, or of any other layer.
    """
    if answerer.fitted.task == "translation":  # whose layers are in a loop
        return ""
    places = _values_by_layer(file.model)
    try:
        found = _run(file, [name for names in places.values() for name in names], feeds)
    except DanluError:
        return ""
    everything = list(found.values())
    for layer, wanted in _outputs_of_modules(answerer, encoded):
        own = [found[name] for name in places.get(layer, ())]
        shaped = any(values.shape == right.shape for values in own for right in wanted)
        if shaped and not any(_equal(values, right) for values in everything for right in wanted):
            return (
                Fault("export.in-preprocessing")
                if layer == PREPROCESSING
                else Fault("export.in-layer", {"layer": layer})
            )
    return Fault("export.in-answer")


def _equal(values: Any, right: Any) -> bool:
    if values.shape != right.shape or values.dtype == object:
        return False
    apart = numpy.abs(values.astype(numpy.float64) - right.astype(numpy.float64)).max(initial=0.0)
    return bool(apart <= MOST_OUTPUT_DELTA / 10 * max(1.0, float(numpy.abs(right).max(initial=0.0))))


def _values_by_layer(model: Any) -> dict[str, list[str]]:
    """The names of all values that come of each module."""
    places: dict[str, list[str]] = {}
    for node in model.graph.node:
        layer = module_of(node)
        if layer is not None:
            places.setdefault(layer, []).extend(name for name in node.output if name)
    return places


def _run(file: OnnxFile, names: list[str], feeds: Feeds) -> dict[str, Any]:
    """The values of these names, as the runtime has them without merging anything."""
    model = onnx().ModelProto()
    model.CopyFrom(file.model)
    there = {one.name for one in model.graph.output}
    model.graph.output.extend(onnx().ValueInfoProto(name=name) for name in names if name not in there)
    options = onnxruntime().SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime().GraphOptimizationLevel.ORT_DISABLE_ALL
    with guarded(file.path, "export.run-failed"):
        session = onnxruntime().InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, dict(feeds.arrays)), strict=True))


def _outputs_of_modules(answerer: Answerer, encoded: Tensor) -> list[tuple[str, list[Any]]]:
    """What the preprocessing and each module of the run give, in the order in which they are called."""
    found: list[tuple[str, list[Any]]] = [(PREPROCESSING, [encoded.numpy()])]

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            found.append((name, list(_tensors(output))))

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in answerer.net.named_modules() if name]
    try:
        with torch.no_grad():
            answerer.net(encoded.to(answerer.dtype))
    finally:
        for handle in handles:
            handle.remove()
    return found


def _tensors(output: Any) -> Iterator[Any]:
    if isinstance(output, PackedSequence):
        yield pad_packed_sequence(output)[0].detach().numpy()  # as the operator gives them: [T, N, …]
    elif isinstance(output, Tensor):
        yield output.detach().numpy()
    elif isinstance(output, tuple | list):
        for part in output:  # pyright: ignore[reportUnknownVariableType]
            yield from _tensors(part)
