"""Which branches of a piece of source are taken, as far as the values of plain names say it."""

import ast
import copy
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any, cast

from danlu.watch.walking import stored, walk

_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_Plain = bool | int | float | str | None
_LEAVES = (ast.Name, ast.Constant, ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop, ast.alias)
_UNKNOWN = object()
_MOST_OBJECTS = 256


def taken(
    scope: ast.AST,
    values: Mapping[str, Any],
    given: Mapping[int, Mapping[str, Any]] | None = None,
    around: Sequence[ast.AST] = (),
) -> ast.AST:
    """A copy of the source without the branches that a test on plain values rules out. Names that it assigns itself may
    mean something else at another time, and rule out nothing. `given` holds values that are known within a function
    alone, by the line in which that begins. In a class `self` is the only object of it among the values, or among what
    they hold; of that, what is no number and set nowhere but in `__init__` stays as it is. `around` is what the source
    stands in, the innermost first and the whole file last.

    >>> tree = ast.parse("a = b if fast else c\\nif fast:\\n    d()\\nelse:\\n    e()")
    >>> ast.unparse(taken(tree, {"fast": True}))
    'a = b\\nd()'
    """
    own = stored(scope)
    known = {name: value for name, value in values.items() if name not in own and name != "self"}
    whole = around[-1] if around else scope
    objects = _objects(values) if isinstance(whole, ast.Module) else {}
    home = next((one.name for one in around if isinstance(one, ast.ClassDef)), "")
    if home in objects:
        known["self"] = objects[home]
    (found,) = _Taken(known, given or {}, objects, _set_later(whole) if objects else ()).of(scope)
    return found


def arguments(
    tree: ast.Module, begins: Collection[int], values: Mapping[str, Any]
) -> dict[int, dict[str, bool | int | float | str | None]]:
    """By the line in which a function begins, its arguments that are known: those that have the same plain value in all
    calls, which stand in functions that begin in one of the lines `begins` (0 for what stands outside of all).

    >>> tree = ast.parse("def f(a, fast=True): pass\\ndef g(): f(x, fast=False)")
    >>> arguments(tree, [2], {})
    {1: {'fast': False}}
    """
    functions = [one for one in walk(tree) if isinstance(one, ast.FunctionDef)]
    known = _Taken(values, {})
    under_way = {id(call) for one in functions if one.lineno in begins for call in walk(one)}
    if 0 in begins:
        within = {id(call) for one in functions for call in walk(one)}
        under_way |= {id(one) for one in walk(tree)} - within
    calls: dict[str, list[ast.Call]] = {}
    for one in walk(tree):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name | ast.Attribute):
            name = one.func.id if isinstance(one.func, ast.Name) else one.func.attr
            calls.setdefault(name, []).append(one)
    found: dict[int, dict[str, Any]] = {}
    for one in functions:
        own = calls.get(one.name, [])
        if not own or sum(other.name == one.name for other in functions) > 1:
            continue
        if not all(id(call) in under_way for call in own):
            continue
        assigned = stored(one)
        first = one.args.args[0].arg if one.args.args else ""
        for place, name in enumerate(arg.arg for arg in one.args.args):
            each = [known.of_call(call, place, name, one, method=first == "self") for call in own]
            if name not in assigned and all(value is not _UNKNOWN and value == each[0] for value in each):
                found.setdefault(one.lineno, {})[name] = each[0]
    return found


class _Taken:
    """Copies only what holds such a branch: a file is read in the middle of somebody's training."""

    def __init__(
        self,
        values: Mapping[str, Any],
        given: Mapping[int, Mapping[str, Any]],
        objects: Mapping[str, Any] | None = None,
        changing: Collection[str] = (),
    ) -> None:
        self._values = values
        self._given = given
        self._objects = objects or {}  # by class, what `self` is in it
        self._changing = changing  # attributes that may mean something else at another time

    def of_call(self, call: ast.Call, place: int, name: str, function: ast.FunctionDef, *, method: bool) -> Any:
        """The value of an argument of a call, or its default; `_UNKNOWN` where that is not plain."""
        if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
            return _UNKNOWN
        named = next((one.value for one in call.keywords if one.arg == name), None)
        given = place - 1 if method and isinstance(call.func, ast.Attribute) else place
        node = call.args[given] if 0 <= given < len(call.args) else named
        if node is None:
            args, defaults = function.args.args, function.args.defaults
            behind = place - (len(args) - len(defaults))
            node = defaults[behind] if behind >= 0 else None
        return _UNKNOWN if node is None else self._value(node)

    def of(self, node: ast.AST) -> list[ast.AST]:
        """What stands in the place of a node: itself, or what is taken of it."""
        if isinstance(node, ast.ClassDef) and self._values.get("self") is not self._objects.get(node.name):
            values = {name: value for name, value in self._values.items() if name != "self"}
            values |= {"self": self._objects[node.name]} if node.name in self._objects else {}
            return _Taken(values, self._given, self._objects, self._changing).of(node)
        if isinstance(node, ast.FunctionDef) and node.lineno in self._given:
            values = {**self._values, **self._given[node.lineno]}
            others = {line: one for line, one in self._given.items() if line != node.lineno}
            return _Taken(values, others, self._objects, self._changing).of(node)
        changed: dict[str, Any] = {}
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                each = cast(list[Any], value)
                new = [one for part in each for one in ([part] if _is_leaf(part) else self.of(part))]
                if len(new) != len(each) or any(one is not other for one, other in zip(new, each, strict=True)):
                    changed[name] = new
            elif isinstance(value, ast.AST) and not _is_leaf(value):
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

    def _held(self, node: ast.AST) -> Any:
        """What a name with attributes behind it means now."""
        if isinstance(node, ast.Attribute):
            return _held_by(self._held(node.value)).get(node.attr, _UNKNOWN)
        return self._values.get(node.id, _UNKNOWN) if isinstance(node, ast.Name) else _UNKNOWN

    def _truth(self, node: ast.AST) -> Any:
        value = self._value(node)
        return _UNKNOWN if value is _UNKNOWN else bool(value)

    def _value(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return _plain(self._values.get(node.id, _UNKNOWN))
        if isinstance(node, ast.Attribute):
            value, root = _plain(self._held(node)), _root(node)
            counts = root == "self" and (node.attr in self._changing or type(value) in (int, float))
            return _UNKNOWN if counts else value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            value = self._value(node.operand)
            return _UNKNOWN if value is _UNKNOWN else not value
        if isinstance(node, ast.BoolOp):
            sides = [self._value(one) for one in node.values]
            decides = isinstance(node.op, ast.Or)  # one side that is so settles it, whatever the others are
            if any(one is not _UNKNOWN and bool(one) is decides for one in sides):
                return decides
            return _UNKNOWN if _UNKNOWN in sides else not decides
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            sides = self._value(node.left), self._value(node.comparators[0])
            try:
                return _UNKNOWN if _UNKNOWN in sides else _COMPARED[type(node.ops[0])](*sides)
            except TypeError:
                return _UNKNOWN
        return _UNKNOWN


def _objects(values: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of classes of the user's among these values and what they hold, by class; not those of a class that
    has several."""
    found: dict[str, Any] = {}
    several: set[str] = set()
    waiting: list[Any] = list(values.values())
    seen: set[int] = set()
    for one in waiting:  # it grows as it is gone through
        kind = type(one)
        if id(one) in seen or len(seen) >= _MOST_OBJECTS or isinstance(one, type | ModuleType | FunctionType):
            continue
        held = _held_by(one)
        if not held:
            continue
        seen.add(id(one))
        if kind.__name__ in found:
            several.add(kind.__name__)
        found[kind.__name__] = one
        waiting += held.values()
        inner = held.get("_modules")
        waiting += inner.values() if isinstance(inner, dict) else ()
    return {name: one for name, one in found.items() if name not in several}


def _set_later(scope: ast.AST) -> set[str]:
    """The attributes that are given a value outside of `__init__`."""
    functions = [one for one in walk(scope) if isinstance(one, ast.FunctionDef)]
    first = {id(part) for one in functions if one.name == "__init__" for part in walk(one)}
    return {one.attr for one in walk(scope)
            if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and id(one) not in first}  # fmt: skip


def _is_leaf(part: Any) -> bool:
    """Whether nothing that holds a branch can stand below it."""
    return not isinstance(part, ast.AST) or isinstance(part, _LEAVES)


def _root(node: ast.AST) -> str:
    """The name that a chain of attributes begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _held_by(one: Any) -> Mapping[str, Any]:
    """What an object holds, by the names of its attributes; nothing of what makes them up as it is asked."""
    try:
        held = object.__getattribute__(one, "__dict__")
    except AttributeError:
        return {}
    return cast(Mapping[str, Any], held) if isinstance(held, dict) else {}


def _plain(value: Any) -> Any:
    return value if isinstance(value, _Plain) else _UNKNOWN
