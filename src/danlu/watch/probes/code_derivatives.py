"""A derivative in the source: whether what autograd.grad gave goes into the loss as it is, and not only into a net."""

import ast
from collections.abc import Iterator, Sequence

from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import statements, walk

# What a value comes out of with the gradient that it had: arithmetic, reductions, losses; no layer, no net.
_CARRYING = {
    "norm", "vector_norm", "pow", "square", "sqrt", "abs", "mean", "sum", "view", "reshape", "flatten", "squeeze",
    "unsqueeze", "clone", "to", "float", "double", "cpu", "cuda", "clamp", "clamp_min", "relu", "neg", "mul", "add",
    "sub", "div", "exp", "log", "stack", "cat", "hstack", "logsumexp", "max", "min", "amax", "scale", "contiguous",
}  # fmt: skip
_LOSSES = ("loss", "criterion", "crit", "mse", "l1", "huber")
_GRADS = "grad"
_Frame = tuple[ast.AST, int]  # a function under way, or what stands outside of all, and its line
_WHOLE = -1  # a value as it is, where others are the places in a tuple


def goes_into_loss(frames: Sequence[_Frame]) -> bool:
    """Whether the result of a call of `grad` goes backwards as part of a loss, by arithmetic and losses alone; `frames`
    are those in which it is called, the innermost first.

    >>> source = "g = grad(net(x), x)[0]\\nloss = out.mean() + 10 * (g.norm() - 1).pow(2)\\nloss.backward()"
    >>> goes_into_loss([(ast.parse(source), 1)])
    True
    >>> goes_into_loss([(ast.parse(source.replace("10 * (g.norm() - 1)", "net(x + g)")), 1)])
    False
    """
    given: set[int] | None = None  # the places of what the function before gave that carry it
    for scope, line in frames:
        made = _statement(scope, line)
        if made is None:
            return False
        start = _Carried(scope, line if given is not None else 0, given or {_WHOLE})
        found = start.along(made)
        if not isinstance(found, set):
            return bool(found)
        given = found
    return False


class _Carried:
    """Follows one value through the statements of a function."""

    def __init__(self, scope: ast.AST, line: int, places: set[int]) -> None:
        self._line = line  # of the call that gives it; 0 where that is a call of `grad`
        self._places = places
        self._names: set[str] = set()
        self._called = {
            name_of(target) for one in walk(scope) if isinstance(one, ast.Assign)
            and any(isinstance(part, ast.Call) for part in walk(one.value)) for target in one.targets
        }  # fmt: skip
        self._after = [one for one in statements(scope) if not isinstance(one, ast.FunctionDef | ast.ClassDef)]

    def along(self, made: ast.stmt) -> set[int] | bool:
        """From the statement that makes it on: True where it goes backwards, the places of what is returned that carry
        it, False where it goes nowhere."""
        self._take(made)
        for one in sorted(
            [made, *(one for one in self._after if one.lineno > made.lineno)], key=lambda one: one.lineno
        ):
            if isinstance(one, ast.Return) and one.value is not None:
                places = self._places_of(one.value)
                if places:
                    return places
            elif isinstance(one, ast.Expr) and any(self._carries(sent) for sent in _sent_backwards(one.value)):
                return True
            elif one is not made:
                self._assign(one)
        return False

    def _take(self, made: ast.stmt) -> None:
        """The names that the result is bound to."""
        target = made.targets[0] if isinstance(made, ast.Assign) else getattr(made, "target", None)
        if isinstance(target, ast.Tuple | ast.List) and self._line:
            whole = _WHOLE in self._places
            self._names |= {name_of(one) for place, one in enumerate(target.elts) if whole or place in self._places}
        elif isinstance(target, ast.Tuple | ast.List):  # (slope,) = grad(…)
            self._names |= {name_of(one) for one in target.elts}
        elif target is not None and self._carries(getattr(made, "value", None) or target):
            self._names.add(name_of(target))

    def _assign(self, one: ast.stmt) -> None:
        if isinstance(one, ast.AugAssign) and self._carries(one.value):
            self._names.add(name_of(one.target))
        elif isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Tuple):
                    continue
                if self._carries(one.value):
                    self._names.add(name_of(target))
                elif isinstance(target, ast.Name):
                    self._names.discard(target.id)

    def _places_of(self, value: ast.expr) -> set[int]:
        if isinstance(value, ast.Tuple):
            return {place for place, one in enumerate(value.elts) if self._carries(one)}
        return {_WHOLE} if self._carries(value) else set()

    def _carries(self, node: ast.AST) -> bool:
        match node:
            case ast.Name():
                return node.id in self._names
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self._carries(node.left) or self._carries(node.right)
            case ast.BinOp(op=ast.Mult()):
                sides = (node.left, node.right), (node.right, node.left)
                return any(self._carries(one) and self._is_number(other) for one, other in sides)
            case ast.BinOp(op=ast.Div() | ast.Pow()):
                return self._carries(node.left)
            case ast.UnaryOp():
                return self._carries(node.operand)
            case ast.Subscript() | ast.Starred():
                return self._carries(node.value)
            case ast.Attribute():
                return node.attr in ("T", "mT") and self._carries(node.value)
            case ast.IfExp():
                return self._carries(node.body) or self._carries(node.orelse)
            case ast.List() | ast.Tuple():
                return any(self._carries(one) for one in node.elts)
            case ast.Call():
                return self._is_source(node) or self._call_carries(node)
            case _:
                return False

    def _is_source(self, call: ast.Call) -> bool:
        name = name_of(call.func)
        if not self._line:
            return name == _GRADS
        within = call.lineno <= self._line <= (call.end_lineno or call.lineno)
        return within and name not in _CARRYING and not _is_loss(name) and _WHOLE in self._places

    def _call_carries(self, call: ast.Call) -> bool:
        name = name_of(call.func)
        own = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name in _CARRYING and own is not None and self._carries(own):
            return True
        return (name in _CARRYING or _is_loss(name)) and any(self._carries(one) for one in call.args)

    def _is_number(self, node: ast.AST) -> bool:
        """Whether a factor is a number, such as the weight of a penalty, and nothing that was computed."""
        return not any(
            isinstance(one, ast.Call) or (isinstance(one, ast.Name) and one.id in self._called | self._names)
            for one in walk(node)
        )


def _is_loss(name: str) -> bool:
    return name.lower().endswith(_LOSSES)


def _sent_backwards(node: ast.expr) -> Iterator[ast.AST]:
    """What a call sends backwards."""
    if isinstance(node, ast.Call) and name_of(node.func) in ("backward", "manual_backward"):
        if node.args:
            yield node.args[0]
        if isinstance(node.func, ast.Attribute):
            yield node.func.value


def _statement(scope: ast.AST, line: int) -> ast.stmt | None:
    """The innermost statement of a function that a line stands in."""
    found = [one for one in statements(scope) if one.lineno <= line <= (one.end_lineno or one.lineno)]
    plain = [
        one for one in found if isinstance(one, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr)
    ]
    return max(plain, key=lambda one: one.lineno, default=None)
