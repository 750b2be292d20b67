"""An expression in a line of text, evaluated step by step, with every value, local derivative and gradient.

The text is read with Python's own grammar and never run: numbers, names, + - * / **, and the functions named below.
"""

import ast
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from danlu.base.errors import Faults, fail, nearest
from danlu.base.graphs import ExpressionGraph, ValueEdge, ValueNode

_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Tensor, Tensor], Tensor]]] = {
    ast.Add: ("+", torch.add),
    ast.Sub: ("−", torch.sub),
    ast.Mult: ("×", torch.mul),
    ast.Div: ("÷", torch.div),
    ast.Pow: ("^", torch.pow),
}
FUNCTIONS: dict[str, tuple[int, Callable[..., Tensor]]] = {
    "abs": (1, torch.abs),
    "cos": (1, torch.cos),
    "exp": (1, torch.exp),
    "log": (1, torch.log),
    "max": (2, torch.maximum),
    "min": (2, torch.minimum),
    "relu": (1, torch.relu),
    "sigmoid": (1, torch.sigmoid),
    "sin": (1, torch.sin),
    "softplus": (1, torch.nn.functional.softplus),
    "sqrt": (1, torch.sqrt),
    "tanh": (1, torch.tanh),
}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_LONGEST = 1000
_MOST_NODES = 60


def expression_graph(text: str, values: Mapping[str, float]) -> ExpressionGraph:
    """The graph of `text` at `values`, gradients of the result carried back to every part. In float64.

    Raises UserError for what cannot be read, for names without a value, and for a result that is not finite.

    >>> graph = expression_graph("w * x + b", {"w": 2.0, "x": 3.0, "b": 1.0})
    >>> [(node.title, node.value, node.gradient) for node in graph.nodes][:2]
    [('w', '2', '3'), ('x', '3', '2')]
    """
    tree = _parsed(text)
    _check_names(tree, values)
    builder = _Builder(values)
    result = builder.add(tree)
    if not math.isfinite(builder.values[result].item()):
        fail("draw.expression-not-finite", text=text, value=number_text(builder.values[result].item()))
    if len(builder.values) > _MOST_NODES:
        fail("draw.expression-too-long", found=len(builder.values), limit=_MOST_NODES)
    return builder.graph(text, result)


class _Builder:
    """Puts the nodes of an expression together, from its leaves on."""

    def __init__(self, given: Mapping[str, float]) -> None:
        self.values: dict[str, Tensor] = {}
        self._given = given
        self._titles: dict[str, tuple[str, str]] = {}  # title and role
        self._edges: list[tuple[str, str, Tensor]] = []

    def add(self, node: ast.expr) -> str:
        """The id of the part that `node` is."""
        if isinstance(node, ast.Constant):
            return self._leaf(f"c{len(self.values)}", float(node.value), "constant", _constant_text(node))  # pyright: ignore[reportArgumentType]
        if isinstance(node, ast.Name):
            known = self._given.get(node.id)
            if known is None:
                return self._leaf(node.id, _CONSTANTS[node.id], "constant", node.id)
            return self._leaf(node.id, float(known), "leaf", node.id)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.UAdd):
                return self.add(node.operand)
            return self._step("−", torch.neg, [self.add(node.operand)])
        if isinstance(node, ast.BinOp):
            title, function = _OPERATORS[type(node.op)]
            return self._step(title, function, [self.add(node.left), self.add(node.right)])
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        return self._step(node.func.id, FUNCTIONS[node.func.id][1], [self.add(part) for part in node.args])

    def _leaf(self, id: str, value: float, role: str, title: str) -> str:
        if id not in self.values:
            self.values[id] = torch.tensor(value, dtype=torch.float64, requires_grad=role == "leaf")
            self._titles[id] = (title, role)
        return id

    def _step(self, title: str, function: Callable[..., Tensor], parts: list[str]) -> str:
        id = f"s{len(self.values)}"
        self.values[id] = function(*(self.values[part] for part in parts))
        if self.values[id].requires_grad:
            self.values[id].retain_grad()
        self._titles[id] = (title, "operation")
        for part, local in zip(parts, _locals(function, [self.values[part] for part in parts]), strict=True):
            self._edges.append((part, id, local))
        return id

    def graph(self, text: str, result: str) -> ExpressionGraph:
        if self.values[result].requires_grad:
            self.values[result].backward()
        nodes: list[ValueNode] = []
        for id, value in self.values.items():
            title, role = self._titles[id]
            gradient = "" if value.grad is None else number_text(float(value.grad))
            if id == result and role == "operation":
                role = "result"
            nodes.append(ValueNode(id, title, role, number_text(float(value.detach())), gradient))
        edges = tuple(ValueEdge(source, target, number_text(float(local))) for source, target, local in self._edges)
        return ExpressionGraph(text, tuple(nodes), edges)


def _locals(function: Callable[..., Tensor], inputs: list[Tensor]) -> list[Tensor]:
    """The derivatives of one step by each of its inputs, all else left out."""
    alone = [value.detach().clone().requires_grad_() for value in inputs]
    return list(torch.autograd.grad(function(*alone), alone))


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        fail("draw.expression-too-long", found=len(text), limit=_LONGEST)
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        fail("draw.expression-unreadable", text=text, reason=getattr(error, "msg", None) or error)
    faults = Faults()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            _check_call(node, node.func.id, faults)
        elif not _is_allowed(node):
            faults.add("draw.expression-part", part=ast.unparse(node) if isinstance(node, ast.expr) else text)
            break
    faults.raise_if_any()
    return tree


def _check_call(node: ast.Call, name: str, faults: Faults) -> None:
    if name not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        faults.add("draw.expression-function", name=name, functions=known, hint=nearest(name, FUNCTIONS))
    elif len(node.args) != FUNCTIONS[name][0] or node.keywords:
        faults.add("draw.expression-arguments", name=name, wanted=FUNCTIONS[name][0], found=len(node.args))


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub | ast.UAdd)
    if isinstance(node, ast.BinOp):
        return type(node.op) in _OPERATORS
    return isinstance(node, ast.Name | ast.expr_context | ast.operator | ast.unaryop)


def _check_names(tree: ast.expr, values: Mapping[str, float]) -> None:
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called}
    missing = sorted(names - values.keys() - _CONSTANTS.keys())
    faults = Faults()
    if missing:
        faults.add(
            "draw.expression-values", names=", ".join(missing), example=" ".join(f"{name}=1" for name in missing)
        )
    for name in sorted(values.keys() - names):
        faults.add("draw.expression-unused", name=name, hint=nearest(name, names))
    faults.raise_if_any()


def _constant_text(node: ast.Constant) -> str:
    return number_text(float(node.value))  # pyright: ignore[reportArgumentType]


def number_text(value: float) -> str:
    """A number as it is written at a node.

    >>> number_text(2.0), number_text(-0.196612), number_text(1e-7)
    ('2', '-0.1966', '1e-07')
    """
    return f"{value:.4g}"
