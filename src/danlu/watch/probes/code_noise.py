"""Noise in the source: whether what a net is to tell is made of the noise that it is given."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, words_behind
from danlu.watch.walking import walk

_DRAWS = {"randn", "randn_like", "normal_", "standard_normal"}
_LOSSES = re.compile(r"^(mse|l1|smooth_l1|huber)_loss$")
_CLASSES = {"MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"}
_ARITHMETIC = {
    "view", "reshape", "to", "mul", "add", "sub", "div", "lerp", "sqrt", "clamp", "float", "squeeze", "unsqueeze",
    "flatten", "detach", "where", "cat", "clone", "contiguous", "expand_as", "type_as",
}  # fmt: skip
_SLIGHT = 0.5  # a factor below it makes noise a disturbance, not what is to be told
_DEPTH = 8
_Place = tuple[int, int]
_Made = Mapping[str, list[ast.AST]]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def may_draw(text: SourceText) -> bool:
    """Whether noise can be drawn, and a squared loss computed."""
    squares = text.has_powers or text.has({"pow", "square", "abs"} | _CLASSES) or text.matches(_LOSSES)
    return text.has(_DRAWS) and squares


def drawn_apart(scope: ast.AST) -> int | None:
    """The line of a squared loss whose targets are made of noise, though the noise that the net was given is another
    one, drawn for itself.

    >>> source = "while True:\\n x = a + randn_like(a)\\n loss = mse_loss(net(x), randn_like(a))"
    >>> drawn_apart(ast.parse(source))
    3
    >>> source = "while True:\\n e = randn_like(a)\\n loss = mse_loss(net(a + e), e - a)"
    >>> drawn_apart(ast.parse(source)) is None
    True
    """
    made = assignments(scope)
    functions = {one.name: one for one in walk(scope) if isinstance(one, _Function)}
    for home in _homes(scope):
        inside = {(one.lineno, one.col_offset) for one in walk(home) if isinstance(one, ast.Call)}
        for line, told, wanted in _compared(home, made):
            drawn = set(_own_noise(wanted, made)) & inside
            given = set(_all_noise(told, made, functions))
            if drawn and given and not drawn & given:
                return line
    return None


def _homes(scope: ast.AST) -> Iterator[ast.AST]:
    """What runs once a step: the innermost loops, and functions without one."""
    for one in walk(scope):
        if isinstance(one, ast.For | ast.While) or (
            isinstance(one, _Function) and not any(isinstance(part, ast.For | ast.While) for part in walk(one))
        ):
            yield one


def _compared(home: ast.AST, made: _Made) -> Iterator[tuple[int, ast.expr, ast.expr]]:
    """What is told and what is wanted in each squared loss: the one comes from a call, the other from none."""
    for node in walk(home):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            if _LOSSES.match(name_of(node.func)) or words_behind(node.func, made) & _CLASSES:
                sides = node.args[:2]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            sides = _difference(node.left)
        elif isinstance(node, ast.Call) and name_of(node.func) in ("pow", "square", "abs"):
            inner = node.func.value if isinstance(node.func, ast.Attribute) else None
            sides = _difference(inner)
        if len(sides) == 2:
            yield getattr(node, "lineno", 0), sides[0], sides[1]
            yield getattr(node, "lineno", 0), sides[1], sides[0]


def _difference(node: ast.AST | None) -> list[ast.expr]:
    return [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else []


def _own_noise(node: ast.AST, made: _Made, depth: int = _DEPTH) -> Iterator[_Place]:
    """Where the noise was drawn that a value is made of by arithmetic alone; nothing comes out of a net's answer."""
    if isinstance(node, ast.Call):
        if name_of(node.func) in _DRAWS:
            yield node.lineno, node.col_offset
        elif name_of(node.func) in _ARITHMETIC:
            parts = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
            for one in parts:
                yield from _own_noise(one, made, depth)
    elif isinstance(node, ast.BinOp):
        if not (isinstance(node.op, ast.Mult) and (_is_slight(node.left) or _is_slight(node.right))):
            yield from _own_noise(node.left, made, depth)
            yield from _own_noise(node.right, made, depth)
    elif isinstance(node, ast.Name) and depth:
        for value in made.get(node.id, ()):
            yield from _own_noise(value, made, depth - 1)
    elif isinstance(node, ast.IfExp | ast.UnaryOp | ast.Subscript):
        for one in ast.iter_child_nodes(node):
            yield from _own_noise(one, made, depth)


def _is_slight(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and abs(node.value) < _SLIGHT


def _all_noise(node: ast.AST, made: _Made, functions: Mapping[str, _Function]) -> Iterator[_Place]:
    """Where any noise was drawn behind a value, in the functions that are called on the way too."""
    waiting, seen = [node], set[str]()
    for _ in range(8 * _DEPTH):
        if not waiting:
            return
        for one in walk(waiting.pop()):
            word = name_of(one) if isinstance(one, ast.Call | ast.Name) else ""
            if isinstance(one, ast.Call) and word in _DRAWS:
                yield one.lineno, one.col_offset
            elif word and word not in seen:
                seen.add(word)
                waiting += made.get(word, ())
                if isinstance(one, ast.Call) and word in functions:  # names mean something else in there
                    inside = (part for part in walk(functions[word]) if isinstance(part, ast.Call))
                    yield from ((part.lineno, part.col_offset) for part in inside if name_of(part.func) in _DRAWS)
