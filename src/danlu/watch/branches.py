"""Which branches of a piece of source are taken, as far as the values of plain names say it."""

import ast
import copy
import operator
from collections.abc import Callable, Mapping
from typing import Any

_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_Plain = bool | int | float | str | None
_UNKNOWN = object()


def taken(scope: ast.AST, values: Mapping[str, Any]) -> ast.AST:
    """A copy of the source without the branches that a test on plain values rules out. Names that it assigns itself may
    mean something else at another time, and rule out nothing.

    >>> tree = ast.parse("a = b if fast else c\\nif fast:\\n    d()\\nelse:\\n    e()")
    >>> ast.unparse(taken(tree, {"fast": True}))
    'a = b\\nd()'
    """
    own = {one.id for one in ast.walk(scope) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    kept = {name: value for name, value in values.items() if name not in own}
    found: ast.AST = _Taken(kept).visit(copy.deepcopy(scope))
    return found


class _Taken(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        truth = self._truth(node.test)
        return node if truth is _UNKNOWN else node.body if truth else node.orelse

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        truth = self._truth(node.test)
        if truth is _UNKNOWN:
            return node
        return (node.body if truth else node.orelse) or ast.copy_location(ast.Pass(), node)

    def _truth(self, node: ast.AST) -> Any:
        value = self._value(node)
        return _UNKNOWN if value is _UNKNOWN else bool(value)

    def _value(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return _plain(self._values.get(node.id, _UNKNOWN))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id != "self":
            owner = self._values.get(node.value.id)
            return _plain(getattr(owner, "__dict__", {}).get(node.attr, _UNKNOWN))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            value = self._value(node.operand)
            return _UNKNOWN if value is _UNKNOWN else not value
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            sides = self._value(node.left), self._value(node.comparators[0])
            try:
                return _UNKNOWN if _UNKNOWN in sides else _COMPARED[type(node.ops[0])](*sides)
            except TypeError:
                return _UNKNOWN
        return _UNKNOWN


def _plain(value: Any) -> Any:
    return value if isinstance(value, _Plain) else _UNKNOWN
