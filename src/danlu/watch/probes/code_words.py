"""Names in a piece of source, and what they were made of."""

import ast
import copy
import re
from collections.abc import Collection, Iterator, Mapping

from danlu.watch.walking import walk

REWARD = re.compile(r"^(r|rs|rews?|r_t|rb|br|b_r|r_batch)$|reward", re.IGNORECASE)
"""What rewards of a batch are called."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_IMPLIED = ("__init__", "forward", "__call__", "__getitem__", "__iter__")  # methods that are called without their name
_LIBRARIES = ("F", "torch", "functional", "nn")
_PAIRS = ("max", "min", "sort", "topk")  # methods that give values and places
_DEPTH = 6  # assignments that a value is followed through


def assignments(scope: ast.AST) -> dict[str, list[ast.AST]]:
    """By name, what is assigned to it or to a part of it, the part itself included."""
    made: dict[str, list[ast.AST]] = {}
    for node in walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                each = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                for one in each:
                    values = [node.value]
                    if len(each) > 1 and isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(each):
                        values = [node.value.elts[each.index(one)]]
                    elif len(each) > 1:  # the largest, and where it stands
                        values = [node.value] if name_of(node.value) in _PAIRS and one is each[0] else []
                    if isinstance(one, ast.Subscript):
                        values = [*values, one.slice]
                    made.setdefault(name_of(one), []).extend(values)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign) and node.value is not None:
            made.setdefault(name_of(node.target), []).append(node.value)
    return made


def reached(tree: ast.Module, lines: Collection[int]) -> ast.Module:
    """What runs in a file: the functions that begin in these lines (0 stands for what stands outside of all), those
    that they call, and of the classes that they make objects of the methods that are called.

    >>> tree = ast.parse("def f(): g()\\ndef g(): pass\\ndef h(): pass")
    >>> [one.name for one in reached(tree, [1]).body]
    ['f', 'g']
    """
    within = _within(tree)
    loose = ast.Module([one for one in tree.body if not isinstance(one, _Function | ast.ClassDef)], [])
    found: list[ast.AST] = [loose] if 0 in lines else []
    found += [one for one, _ in within if one.lineno in lines]
    known = {id(one) for one in found}
    made = {outer.name for one, outer in within if one in found and isinstance(outer, ast.ClassDef)}
    bases = {kind.name: {name_of(base) for base in kind.bases} for kind in walk(tree) if isinstance(kind, ast.ClassDef)}
    for one in found:  # it grows as it is gone through
        called = {name_of(call.func) for call in walk(one) if isinstance(call, ast.Call)}
        # What is chosen between or handed on by its name will be called under another one.
        called |= {name.id for name in walk(one) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)}
        made |= called | {base for name in called for base in bases.get(name, ())}
        for other, outer in within:
            free = outer is None or (isinstance(outer, ast.ClassDef) and outer.name in made)
            implied = isinstance(outer, ast.ClassDef) and other.name in _IMPLIED
            if id(other) not in known and free and (other.name in called or implied):
                known.add(id(other))
                found.append(other)
    inside = {id(inner) for one in found for inner in walk(one) if inner is not one}
    body: list[ast.stmt] = [*loose.body] if 0 in lines else []
    for one, outer in within:
        if id(one) in known and id(one) not in inside and not isinstance(outer, ast.ClassDef):
            body.append(one)
    for kind in (one for one in walk(tree) if isinstance(one, ast.ClassDef) and id(one) not in inside):
        methods: list[ast.stmt] = [one for one in kind.body if id(one) in known]
        if methods:
            whole = copy.copy(kind)
            whole.body = methods
            body.append(whole)
    return ast.Module(body, [])


def _within(tree: ast.Module) -> list[tuple[_Function, ast.AST | None]]:
    """Every function of a file, with the function or class that it stands in."""
    found: list[tuple[_Function, ast.AST | None]] = []

    def visit(node: ast.AST, outer: ast.AST | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):  # none holds a function with a name
                continue
            if isinstance(child, _Function):
                found.append((child, outer))
            visit(child, child if isinstance(child, _Function | ast.ClassDef) else outer)

    visit(tree, None)
    return found


def words_behind(node: ast.AST, made: Mapping[str, list[ast.AST]], *, options: bool = True) -> set[str]:
    """The names and attributes in an expression, and in what the names in it were made of; without `options` not the
    names of keyword arguments, which may be settings of the memory that a batch was drawn from."""
    seen: set[str] = set()
    waiting = [node]
    for _ in range(4 * _DEPTH):
        if not waiting:
            break
        for word in _each_word(waiting.pop(), options=options):
            if word not in seen:
                seen.add(word)
                waiting.extend(made.get(word, ()))
    return seen


def own_words(node: ast.AST) -> set[str]:
    """The names and attributes in a piece of source, its strings and the names of its arguments."""
    return set(_each_word(node))


def _each_word(node: ast.AST, *, options: bool = True) -> Iterator[str]:
    for one in walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif (isinstance(one, ast.arg) or (options and isinstance(one, ast.keyword))) and one.arg:
            yield one.arg


def is_library(node: ast.Attribute) -> bool:
    """Whether an attribute is one of torch's functions, not a method."""
    return isinstance(node.value, ast.Name | ast.Attribute) and name_of(node.value) in _LIBRARIES


def name_of(node: ast.AST) -> str:
    """The last part of a dotted name, of a call or a subscript that of what is called or subscripted."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        return name_of(node.func)
    found = getattr(node, "attr", None) or getattr(node, "id", "")
    return found if isinstance(found, str) else ""
