"""Names in a piece of source, and what they were made of."""

import ast
from collections.abc import Iterator, Mapping, Sequence

_LIBRARIES = ("F", "torch", "functional", "nn")
_DEPTH = 6  # assignments that a value is followed through


def assignments(scope: ast.AST) -> dict[str, list[ast.AST]]:
    """By name, what is assigned to it or to a part of it, the part itself included."""
    made: dict[str, list[ast.AST]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                each = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                whole = len(each) == 1 or isinstance(node.value, ast.Call)
                for one in each:
                    values = [node.value] if whole else []
                    if len(each) > 1 and isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(each):
                        values = [node.value.elts[each.index(one)]]
                    elif len(each) > 1:
                        values = []
                    if isinstance(one, ast.Subscript):
                        values = [*values, one.slice]
                    made.setdefault(name_of(one), []).extend(values)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign) and node.value is not None:
            made.setdefault(name_of(node.target), []).append(node.value)
    return made


def reached(tree: ast.AST, scopes: Sequence[ast.AST]) -> ast.AST:
    """These functions, and the functions and classes of the file whose names they call, and so on, as one piece of
    source.

    >>> tree = ast.parse("def f(): g()\\ndef g(): pass\\ndef h(): pass")
    >>> [one.name for one in reached(tree, tree.body[:1]).body]
    ['f', 'g']
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = [one for one in ast.walk(tree) if isinstance(one, kinds)]
    found: list[ast.AST] = []
    waiting = list(scopes)
    while waiting:
        one = waiting.pop(0)
        if any(one is inner for other in found for inner in ast.walk(other)):
            continue
        found.append(one)
        called = {name_of(call.func) for call in ast.walk(one) if isinstance(call, ast.Call)} - {""}
        waiting += [other for other in defined if other.name in called]
    return ast.Module(body=[one for one in found if isinstance(one, ast.stmt)], type_ignores=[])


def words_behind(node: ast.AST, made: Mapping[str, list[ast.AST]]) -> set[str]:
    """The names and attributes in an expression, and in what the names in it were made of."""
    seen: set[str] = set()
    waiting = [node]
    for _ in range(4 * _DEPTH):
        if not waiting:
            break
        for word in own_words(waiting.pop()):
            if word not in seen:
                seen.add(word)
                waiting.extend(made.get(word, ()))
    return seen


def own_words(node: ast.AST) -> set[str]:
    """The names and attributes in a piece of source, its strings and the names of its arguments."""
    return set(_each_word(node))


def _each_word(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif isinstance(one, ast.keyword | ast.arg) and one.arg:
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
