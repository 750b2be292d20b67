"""Nodes written by hand: the resizing of pictures is the run's own to the last bit, whatever sizes go in."""

from typing import Any

import numpy
import pytest
import torch

from danlu.data.transforms.pictures import resize
from danlu.ship.export.nodes import Nodes, resized
from danlu.ship.export.parts import onnx, onnxruntime

pytest.importorskip("onnxruntime")

SIDES = [(28, 28), (32, 24), (9, 13)]
SIZES = [(28, 28), (20, 20), (56, 56), (100, 37), (33, 150), (1, 1), (7, 200), (64, 24)]


def session(sides: tuple[int, int], channels: int, kind: str) -> Any:
    nodes = Nodes("front")
    out = resized(nodes, "pictures", sides, channels, bytes_=kind == "uint8")
    helper, dtype = onnx().helper, {"uint8": 2, "float32": 1}[kind]
    last = [channels] if channels > 1 else []
    given = helper.make_tensor_value_info("pictures", dtype, ["N", "H", "W", *last])
    found = helper.make_tensor_value_info(out, dtype, ["N", "h", "w", *last])
    graph = helper.make_graph(nodes.nodes, "resize", [given], [found], nodes.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = onnxruntime().SessionOptions()
    options.log_severity_level = 4
    return onnxruntime().InferenceSession(model.SerializeToString(), options)


def by_torch(pictures: Any, sides: tuple[int, int]) -> Any:
    pixels = torch.from_numpy(pictures)
    one = pixels.ndim == 3
    small = resize(pixels.unsqueeze(1) if one else pixels.permute(0, 3, 1, 2), *sides)
    return (small.squeeze(1) if one else small.permute(0, 2, 3, 1)).numpy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sides", SIDES)
def test_bytes_are_resized_bit_for_bit(sides: tuple[int, int], channels: int) -> None:
    asked = session(sides, channels, "uint8")
    draws = numpy.random.default_rng(5)
    for size in SIZES:
        shape = (4, *size, *([3] if channels == 3 else []))
        pictures = draws.integers(0, 256, shape, dtype=numpy.uint8)
        (found,) = asked.run(None, {"pictures": pictures})
        # A weight may be another in its last bit: then a pixel in a million lies on the other side of a half.
        assert (found != by_torch(pictures, sides)).mean() < 1e-4, size


def test_floats_are_resized_without_rounding() -> None:
    pictures = numpy.random.default_rng(5).uniform(0, 16, (3, 20, 31)).astype(numpy.float32)
    (found,) = session((12, 40), 1, "float32").run(None, {"pictures": pictures})
    assert numpy.abs(found - by_torch(pictures, (12, 40))).max() < 1e-5
