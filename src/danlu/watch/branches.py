"""Which branches of a piece of source are taken, as far as the values of plain names say it."""

import ast
import copy
import operator
from collections.abc import Callable, Mapping
from typing import Any, cast

from danlu.watch.walking import walk

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
    own = {one.id for one in walk(scope) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    (found,) = _Taken({name: value for name, value in values.items() if name not in own}).of(scope)
    return found


class _Taken:
    """Copies only what holds such a branch: a file is read in the middle of somebody's training."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def of(self, node: ast.AST) -> list[ast.AST]:
        """What stands in the place of a node: itself, or what is taken of it."""
        changed: dict[str, Any] = {}
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                each = cast(list[Any], value)
                new = [one for part in each for one in (self.of(part) if isinstance(part, ast.AST) else [part])]
                if len(new) != len(each) or any(one is not other for one, other in zip(new, each, strict=True)):
                    changed[name] = new
            elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                (one,) = self.of(value)
                if one is not value:
                    changed[name] = one
        if changed:
            node = copy.copy(node)
            for name, value in changed.items():
                setattr(node, name, value)
        return self._branch(node)

    def _branch(self, node: ast.AST) -> list[ast.AST]:
        truth = self._truth(node.test) if isinstance(node, ast.If | ast.IfExp) else _UNKNOWN
        if isinstance(node, ast.IfExp) and truth is not _UNKNOWN:
            return [node.body if truth else node.orelse]
        if isinstance(node, ast.If) and truth is not _UNKNOWN:
            return [*(node.body if truth else node.orelse)] or [ast.copy_location(ast.Pass(), node)]
        return [node]

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
