"""The graph that torch keeps of a loss, read back: operations, the values still known, local derivatives, gradients."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from danlu.base.errors import fail
from danlu.base.graphs import ExpressionGraph, ValueEdge, ValueNode
from danlu.nets.expression import number_text

MOST_NODES = 60
_SIGNS = {
    "Add": "+", "Sub": "−", "Mul": "×", "Div": "÷", "Neg": "−", "Pow": "^", "Mm": "matrix product",
    "Bmm": "matrix product",
    "Addmm": "x·W + b", "Mv": "matrix product", "Dot": "dot product", "T": "transposed", "MseLoss": "mse loss",
    "NllLoss": "nll loss", "LogSoftmax": "log softmax", "BinaryCrossEntropy": "binary cross-entropy",
    "BinaryCrossEntropyWithLogits": "binary cross-entropy", "Convolution": "convolution",
}  # fmt: skip
# Under which names torch saves the operands of an operation, by their number.
_SAVED_USUALLY = {
    0: ("_saved_self", "_saved_input"),
    1: ("_saved_other", "_saved_target", "_saved_mat2", "_saved_weight"),
}
_SAVED_INPUTS = {"Addmm": {1: ("_saved_mat1",), 2: ("_saved_mat2",)}}
_AGAIN: dict[str, tuple[int, Callable[..., Tensor]]] = {
    "Mul": (2, torch.mul), "Div": (2, torch.div), "Mm": (2, torch.mm), "Dot": (2, torch.dot), "Mv": (2, torch.mv),
    "Neg": (1, torch.neg), "Exp": (1, torch.exp), "Log": (1, torch.log), "Sin": (1, torch.sin), "Cos": (1, torch.cos),
    "Abs": (1, torch.abs), "T": (1, torch.t), "Sum": (1, torch.sum), "Mean": (1, torch.mean),
}  # fmt: skip

Node = Any


def autograd_graph(loss: Tensor, names: Mapping[str, Tensor] | None = None, most: int = MOST_NODES) -> ExpressionGraph:
    """The graph behind `loss`, a tensor of one number that has not been sent backward yet.

    `names` says what leaves are called. Gradients are computed on the side: no `.grad` changes, and the graph can
    still be sent backward. Values are shown where torch keeps them or they follow from those it keeps. Of more than
    `most` nodes those nearest to the loss are taken.

    >>> w, x = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)
    >>> [(node.title, node.value, node.gradient) for node in autograd_graph((w * x) ** 2, {"w": w, "x": x}).nodes]
    [('w', '2', '36'), ('×', '6', '12'), ('x', '3', ''), ('^ 2', '36', '1')]
    """
    if loss.numel() != 1:
        fail("draw.needs-scalar", shape="×".join(map(str, loss.shape)))
    if loss.grad_fn is None:
        fail("draw.no-graph")
    order = _from_loss(loss.grad_fn)
    kept = order[:most]
    try:
        gradients = _gradients(loss, kept)
        values = _values(loss, order)
        locals_ = {node: _local(node, gradients.get(node)) for node in kept}
    except Exception as error:  # noqa: BLE001  (a backward of the user's own can raise anything)
        if "second time" in str(error):
            fail("draw.graph-freed")
        fail("draw.backward-fails", kind=type(error).__name__, reason=error)
    called = {tensor.data_ptr(): name for name, tensor in (names or {}).items()}
    ids = {node: f"n{at}" for at, node in enumerate(kept)}
    nodes: list[ValueNode] = []
    edges: list[ValueEdge] = []
    for node in reversed(kept):
        nodes.append(_value_node(node, ids[node], values, gradients, called, loss.grad_fn))
        for at, (source, _) in enumerate(node.next_functions):
            if source in ids:
                edges.append(ValueEdge(ids[source], ids[node], locals_[node][at]))
        for at, constant in _constants(node, values).items():
            id_ = f"{ids[node]}c{at}"
            text = tensor_text(constant)
            nodes.append(ValueNode(id_, called.get(constant.data_ptr(), text), "constant", text))
            edges.append(ValueEdge(id_, ids[node]))
    return ExpressionGraph("loss", tuple(nodes), tuple(edges), left_out=len(order) - len(kept))


def _from_loss(root: Node) -> list[Node]:
    """All nodes, every one after those that its output goes into: the loss first."""
    waiting: dict[Node, int] = {}
    seen = {root}
    stack = [root]
    while stack:
        for source, _ in stack.pop().next_functions:
            if source is not None:
                waiting[source] = waiting.get(source, 0) + 1
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
    order: list[Node] = []
    ready = [root]
    while ready:
        node = ready.pop(0)
        order.append(node)
        for source, _ in node.next_functions:
            if source is not None:
                waiting[source] -= 1
                if not waiting[source]:
                    ready.append(source)
    return order


def _leaf(node: Node) -> Tensor | None:
    """The tensor of a node that only collects a leaf's gradient."""
    return getattr(node, "variable", None)


def _gradients(loss: Tensor, nodes: Iterable[Node]) -> dict[Node, Tensor]:
    """The gradient of the loss by each node's output, from one backward pass that leaves no trace."""
    found: dict[Node, Tensor] = {}
    handles: list[Any] = []

    def listen(node: Node) -> None:
        def hook(grads: tuple[Tensor | None, ...]) -> None:
            if grads and grads[0] is not None:
                found[node] = grads[0].detach()

        handles.append(node.register_prehook(hook))

    leaves: dict[Node, Tensor] = {}
    for node in nodes:
        leaf = _leaf(node)
        if leaf is None:
            listen(node)
        else:
            leaves[node] = leaf
    try:
        wanted = list(leaves.values()) or [loss]
        given = torch.autograd.grad(loss, wanted, retain_graph=True, allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    if leaves:
        known = cast(tuple[Tensor | None, ...], given)
        found |= {node: grad for node, grad in zip(leaves, known, strict=True) if grad is not None}
    return found


def _values(loss: Tensor, order: list[Node]) -> dict[Node, Tensor]:
    """What torch still knows of each node's output: a leaf itself, a saved result, or the saved input of what follows;
    sums, products and their like are computed again where all that enters them is known."""
    values: dict[Node, Tensor] = {order[0]: loss.detach()}
    for node in order:
        leaf = _leaf(node)
        if leaf is not None:
            values[node] = leaf.detach()
        result = _saved(node, "_saved_result")
        if result is not None:
            values[node] = result
        for at, (source, _) in enumerate(node.next_functions):
            given = _saved_input(node, at)
            if given is not None and source is not None:
                values.setdefault(source, given)
    for node in reversed(order):
        if node not in values:
            again = _computed(node, [_operand(node, at, values) for at in range(len(node.next_functions))])
            if again is not None:
                values[node] = again
    return values


def _constants(node: Node, values: Mapping[Node, Tensor]) -> dict[int, Tensor]:
    """The operands of a node that need no gradient: those that torch saved, and those that follow from the result."""
    found: dict[int, Tensor] = {}
    for at, (source, _) in enumerate(node.next_functions):
        given = None if source is not None else _saved_input(node, at)
        if given is not None:
            found[at] = given
    ends = [source for source, _ in node.next_functions]
    result = values.get(node)
    if _kind(node) in ("Add", "Sub") and len(ends) == 2 and None in ends and result is not None:
        at = ends.index(None)
        other = values.get(ends[1 - at])
        factor = getattr(node, "_saved_alpha", 1) * (1 if _kind(node) == "Add" else -1)
        if other is not None:
            found[at] = result - factor * other if at == 0 else (result - other) / factor
    return found


def _operand(node: Node, at: int, values: Mapping[Node, Tensor]) -> Tensor | None:
    source = node.next_functions[at][0]
    return values.get(source) if source in values else _saved_input(node, at)


def _computed(node: Node, operands: list[Tensor | None]) -> Tensor | None:
    known = [operand for operand in operands if operand is not None]
    kind = _kind(node)
    if not operands or len(known) < len(operands):
        return None
    if kind in ("Add", "Sub") and len(known) == 2:
        return known[0] + getattr(node, "_saved_alpha", 1) * (1 if kind == "Add" else -1) * known[1]
    if kind == "Addmm" and len(known) == 3:
        return torch.addmm(known[0], known[1], known[2], beta=node._saved_beta, alpha=node._saved_alpha)
    if kind in ("Sum", "Mean") and not type(node).__name__.endswith("0"):  # along some axes only
        return None
    arity, function = _AGAIN.get(kind, (0, torch.neg))
    return function(*known) if arity == len(known) else None


def _saved_input(node: Node, at: int) -> Tensor | None:
    """Operand number `at` as torch saved it for the backward pass."""
    for attribute in _SAVED_INPUTS.get(_kind(node), _SAVED_USUALLY).get(at, ()):
        given = _saved(node, attribute)
        if given is not None:
            return given
    return None


def _saved(node: Node, attribute: str) -> Tensor | None:
    value = getattr(node, attribute, None)
    return value.detach() if isinstance(value, Tensor) else None


def _local(node: Node, gradient: Tensor | None) -> list[str]:
    """The derivative of a node's one number by each of its inputs' one number; "" for tensors, and for a function of
    the user's own: what its backward does when it is called out of turn is nobody's to say."""
    inputs = node.next_functions
    if gradient is None or gradient.numel() != 1 or not inputs or isinstance(node, BackwardCFunction):
        return [""] * len(inputs)
    given = node(torch.ones_like(gradient))
    given = given if isinstance(given, tuple) else (given,)
    return [number_text(one.item()) if isinstance(one, Tensor) and one.numel() == 1 else "" for one in given]


def _kind(node: Node) -> str:
    return type(node).__name__.partition("Backward")[0]


def _value_node(
    node: Node,
    id_: str,
    values: Mapping[Node, Tensor],
    gradients: Mapping[Node, Tensor],
    called: Mapping[int, str],
    root: Node,
) -> ValueNode:
    leaf = _leaf(node)
    value = tensor_text(values.get(node))
    gradient = tensor_text(gradients.get(node))
    if leaf is not None:
        shape = "×".join(map(str, leaf.shape)) or "1"
        return ValueNode(id_, called.get(leaf.data_ptr(), f"leaf {shape}"), "leaf", value, gradient)
    kind = _kind(node)
    title = _SIGNS.get(kind, kind)
    exponent = getattr(node, "_saved_exponent", None)
    if kind == "Pow" and isinstance(exponent, int | float):
        title = f"^ {exponent:g}"
    return ValueNode(id_, title, "result" if node is root else "operation", value, gradient)


def tensor_text(tensor: Tensor | None) -> str:
    """A number as it is; a tensor by its shape and the root of its mean square.

    >>> tensor_text(torch.tensor(0.5)), tensor_text(torch.ones(2, 3))
    ('0.5', '2×3, rms 1')
    """
    if tensor is None:
        return ""
    if tensor.numel() == 1:
        return number_text(tensor.item())
    shape = "×".join(map(str, tensor.shape))
    if not tensor.is_floating_point() or not tensor.numel():
        return shape
    size = float(torch.linalg.vector_norm(tensor.double())) / math.sqrt(tensor.numel())
    return f"{shape}, rms {number_text(size)}"
