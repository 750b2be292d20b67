"""The nodes of a piece of source: found quickly, for a file is read in the middle of somebody's training."""

import ast
import functools
from typing import Any


@functools.lru_cache(64)  # one function is looked through for many things; trees are not changed once they are made
def walk(node: ast.AST) -> tuple[ast.AST, ...]:
    """A node and all below it, in the order of `ast.walk`, but for what tells a name that is read from one that is set.

    >>> [type(one).__name__ for one in walk(ast.parse("a = b + 1"))]
    ['Module', 'Assign', 'Name', 'BinOp', 'Name', 'Add', 'Constant']
    """
    found = [node]
    add = found.append
    for one in found:  # it grows as it is gone through
        held: dict[str, Any] = one.__dict__
        for name in one._fields:
            value: Any = held.get(name)
            if type(value) is list:
                for part in value:
                    if isinstance(part, ast.AST):
                        add(part)
            elif isinstance(value, ast.AST) and name != "ctx":
                add(value)
    return tuple(found)


def stored(*nodes: ast.AST) -> set[str]:
    """The names that are given a value anywhere in them.

    >>> sorted(stored(ast.parse("a = b\\nfor c in d: pass")))
    ['a', 'c']
    """
    each = (one for node in nodes for one in walk(node))
    return {one.id for one in each if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def statements(node: ast.AST) -> list[ast.stmt]:
    """The statements below a node, in the same order; expressions hold none.

    >>> [one.lineno for one in statements(ast.parse("if a:\\n    b()\\nc()"))]
    [1, 3, 2]
    """
    found = [node]
    for one in found:
        for value in one.__dict__.values():
            if value.__class__ is list:
                found += [part for part in value if isinstance(part, ast.stmt | ast.excepthandler | ast.match_case)]
    return [one for one in found if isinstance(one, ast.stmt)]
