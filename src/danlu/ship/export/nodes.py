"""ONNX nodes written by hand: names of categories to codes, pictures to another size, numbers of classes to labels."""

from typing import Any

import numpy

from danlu.data.table.fitted import CategoryColumn
from danlu.data.tokens import UNKNOWN
from danlu.ship.export.interface import UNSEEN, Interface
from danlu.ship.export.parts import onnx

ML = "ai.onnx.ml"
FLOAT, DOUBLE, INT64, UINT8, BOOL = 1, 11, 7, 2, 9  # onnx.TensorProto


class Nodes:
    """Nodes and constants, each under a name of its own that begins with `prefix`.

    >>> nodes = Nodes("front")
    >>> nodes("Abs", "x"), nodes("Neg", "x", to="y")
    ('front.0', 'y')
    """

    def __init__(self, prefix: str) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._prefix, self._count = prefix, 0

    def __call__(self, operator: str, *inputs: str, to: str | None = None, domain: str = "", **attributes: Any) -> str:
        """One node with one output, whose name is returned."""
        output = to or self.name()
        helper = onnx().helper
        self.nodes.append(helper.make_node(operator, [*inputs], [output], domain=domain, **attributes))
        return output

    def name(self) -> str:
        """A name that nothing has yet."""
        self._count += 1
        return f"{self._prefix}.{self._count - 1}"

    def constant(self, values: Any) -> str:
        """A tensor with these values."""
        array, name = numpy.asarray(values), self.name()
        if array.dtype == object:
            strings = [str(value).encode("utf-8", "replace") for value in array.flatten().tolist()]
            tensor = onnx().helper.make_tensor(name, onnx().TensorProto.STRING, array.shape, strings)
        else:
            tensor = onnx().numpy_helper.from_array(array, name)
        self.constants.append(tensor)
        return name


def code_of_category(nodes: Nodes, strings: str, column: CategoryColumn, interface: Interface) -> str:
    """int64 [N], for strings [N]."""
    codes = interface.codes(column)
    return nodes(
        "LabelEncoder", strings, domain=ML,
        keys_strings=list(codes), values_int64s=list(codes.values()), default_int64=UNSEEN,
    )  # fmt: skip


def number_of_token(nodes: Nodes, tokens: str, interface: Interface) -> str:
    """int64 [N, T], for tokens as strings [N, T]; what stands behind the end of a text is 0."""
    numbers = {token: number for number, token in enumerate(interface.plain["vocabulary"]["tokens"])}
    return nodes(
        "LabelEncoder", tokens, domain=ML,
        keys_strings=[*numbers, interface.padding_mark], values_int64s=[*numbers.values(), 0],
        default_int64=numbers[UNKNOWN],
    )  # fmt: skip


def label_of_class(nodes: Nodes, numbers: str, labels: Any, to: str) -> str:
    """The labels of classes int64, of any shape; a negative number counts from the last label back."""
    return nodes("Gather", nodes.constant(labels), numbers, to=to, axis=0)


def resized(nodes: Nodes, pictures: str, sides: tuple[int, ...], channels: int, *, bytes_: bool = True) -> str:
    """uint8 (`bytes_`, else float32) [N, H, W] or [N, H, W, C] in another size, bit for bit as
    `danlu.data.transforms.pictures.resize` makes it.

    That is torch's antialiased bilinear filter: each side by itself, in float32, summed in the order of the pixels. Its
    compiler works through four products at a time, which are rounded before they are added; what is left over, and the
    sums of fewer, are fused (product and sum are rounded once). ONNX's own Resize adds in another order, so that every
    few thousandth pixel would be rounded the other way.
    """
    x = _cast(nodes, pictures, FLOAT)
    axis = nodes.constant(numpy.array([1]))
    x = nodes("Unsqueeze", x, axis) if channels == 1 else nodes("Transpose", x, perm=[0, 3, 1, 2])
    height, width = sides
    x = nodes("Transpose", _one_side(nodes, x, width), perm=[0, 1, 3, 2])
    x = nodes("Transpose", _one_side(nodes, x, height), perm=[0, 1, 3, 2])
    if bytes_:
        limits = (nodes.constant(numpy.float32(value)) for value in (0, 255))
        x = _cast(nodes, nodes("Clip", nodes("Round", x), *limits), UINT8)
    return nodes("Squeeze", x, axis) if channels == 1 else nodes("Transpose", x, perm=[0, 2, 3, 1])


def _cast(nodes: Nodes, x: str, to: int) -> str:
    name = nodes.name()
    nodes.nodes.append(onnx().helper.make_node("Cast", [x], [name], to=to))
    return name


def _one_side(nodes: Nodes, x: str, size: int) -> str:
    """float32 [N, C, A, n] to [N, C, A, size]."""

    def constant(values: Any) -> str:
        return nodes.constant(numpy.float32(values))

    shape = nodes("Shape", x)
    length = nodes("Gather", shape, nodes.constant(numpy.array([3])), axis=0)
    scale = nodes("Div", _cast(nodes, length, FLOAT), constant([size]))
    support = nodes("Max", scale, constant([1]))
    center = nodes("Mul", scale, constant(numpy.arange(size) + 0.5))
    first = nodes("Add", nodes("Sub", center, support), constant([0.5]))
    first = nodes("Max", _cast(nodes, first, INT64), nodes.constant(numpy.array([0])))
    end = nodes("Add", nodes("Add", center, support), constant([0.5]))
    end = nodes("Min", _cast(nodes, end, INT64), length)
    many = nodes("Sub", end, first)
    zero, one = (nodes.constant(numpy.int64(value)) for value in (0, 1))
    steps = nodes("Range", zero, nodes("ReduceMax", many, keepdims=0), one)
    steps = nodes("Unsqueeze", steps, nodes.constant(numpy.array([1])))  # [K, 1]
    place = nodes("Sub", nodes("Add", _cast(nodes, steps, FLOAT), _cast(nodes, first, FLOAT)), center)
    # Not 1 / support, which ONNX Runtime would fuse with the product into one division, rounded otherwise.
    inverse = nodes("Mul", nodes("Div", constant([2]), support), constant([0.5]))
    place = nodes("Mul", nodes("Add", place, constant([0.5])), inverse)
    weight = nodes("Max", nodes("Sub", constant([1]), nodes("Abs", place)), constant([0]))
    weight = nodes("Where", nodes("Less", steps, many), weight, constant([0]))  # [K, size]
    total = _summed(nodes, constant(numpy.zeros(size)), weight)
    weight = nodes("Div", weight, total)
    pixels = nodes("Min", nodes("Add", first, steps), nodes("Sub", length, one))
    front = nodes("Slice", shape, nodes.constant(numpy.array([0])), nodes.constant(numpy.array([3])))
    room = nodes("Concat", front, nodes.constant(numpy.array([size])), axis=0)
    blocks = nodes("Div", nodes("Sub", many, one), nodes.constant(numpy.int64(4)))
    fused = nodes("Greater", steps, nodes("Mul", blocks, nodes.constant(numpy.int64(4))))
    return _weighted(nodes, x, nodes("Expand", constant([0]), room), weight, pixels, fused)


def _summed(nodes: Nodes, start: str, rows: str) -> str:
    """The sum of rows [K, …], one after the other."""
    body = Nodes(nodes.name())
    after = body("Add", "before", "row", to="after")
    return _scan(nodes, body, after, start, {"row": rows})


def _weighted(nodes: Nodes, x: str, start: str, weight: str, pixels: str, fused: str) -> str:
    """The sum over k of x[…, pixels[k]] · weight[k]: each step is rounded to float32, a product too unless `fused`."""
    body = Nodes(nodes.name())
    found = body("Gather", x, "pixel", axis=3)
    exact = body("Mul", _cast(body, found, DOUBLE), _cast(body, "row", DOUBLE))
    product = body("Where", "fused", exact, _cast(body, _cast(body, exact, FLOAT), DOUBLE))
    total = _cast(body, body("Add", _cast(body, "before", DOUBLE), product), FLOAT)
    after = body("Identity", total, to="after")
    return _scan(nodes, body, after, start, {"row": weight, "pixel": pixels, "fused": fused})


def _scan(nodes: Nodes, body: Nodes, after: str, start: str, along: dict[str, str]) -> str:
    helper = onnx().helper
    # Names of a body stand beside those around it, so that they must be its own.
    own = {name: f"{body.name()}.{name}" for name in ("before", after, *along)}
    for node in body.nodes:
        node.input[:] = [own.get(name, name) for name in node.input]
        node.output[:] = [own.get(name, name) for name in node.output]
    kinds = {"pixel": INT64, "fused": BOOL}
    inputs = [helper.make_tensor_value_info(own[name], kinds.get(name, FLOAT), None) for name in ("before", *along)]
    outputs = [helper.make_tensor_value_info(own[after], FLOAT, None)]
    graph = helper.make_graph(body.nodes, nodes.name(), inputs, outputs, body.constants)
    return nodes("Scan", start, *along.values(), body=graph, num_scan_inputs=len(along))
