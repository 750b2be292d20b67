"""Penalties on the weights in the source: whether a loss takes them off, where it should add them."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, own_words
from danlu.watch.walking import walk

_SIZES = {"pow", "square", "abs", "norm", "vector_norm"}
_WEIGHTS = {"parameters", "named_parameters"}
_TURNED = re.compile(r"log|prior|prob|grad|maximize", re.IGNORECASE)  # such a term may be negative by itself
_DEPTH = 4
_Made = Mapping[str, list[ast.AST]]


def may_reward(text: SourceText) -> bool:
    """Whether there can be a penalty on the weights."""
    return text.has({"backward"}) and text.has(_WEIGHTS)


def rewarded_weights(scope: ast.AST) -> int | None:
    """The line that takes the size of the weights off a loss, which rewards large ones.

    >>> source = "loss = f(x) - 0.1 * sum(p.abs().sum() for p in net.parameters())\\nloss.backward()"
    >>> rewarded_weights(ast.parse(source))
    1
    """
    roots = {
        name_of(one.func.value)
        for one in walk(scope)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "backward"
    }
    if not roots or not own_words(scope) & _WEIGHTS:
        return None
    made, summed, inside = assignments(scope), set[str](), set[int]()
    for loop in walk(scope):
        if isinstance(loop, ast.For) and _WEIGHTS & own_words(loop.iter):
            weights = {one.id for one in walk(loop.target) if isinstance(one, ast.Name)}
            sizes = [one for one in walk(loop) if isinstance(one, ast.AugAssign | ast.Assign) and _is_size(one.value)]
            sizes = [one for one in sizes if own_words(one.value) & weights]
            inside |= {id(one) for one in sizes}
            summed |= {
                name_of(one.target) for one in sizes if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Add)
            }
    functions = {one.name: one for one in walk(scope) if isinstance(one, ast.FunctionDef)}
    for node in walk(scope):
        for term in _taken_off(node, roots):
            if id(node) in inside or _is_penalty(term, made, functions, summed - roots, _DEPTH):
                return getattr(node, "lineno", None)
    return None


def _taken_off(node: ast.AST, roots: set[str]) -> Iterator[ast.AST]:
    """What a statement takes off a loss."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub) and name_of(node.target) in roots:
        yield node.value
    elif isinstance(node, ast.Assign) and any(name_of(one) in roots for one in node.targets):
        yield from _subtracted(node.value)


def _subtracted(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from _subtracted(node.left)
        if isinstance(node.op, ast.Sub):
            yield node.right
        else:
            yield from _subtracted(node.right)


def _is_size(node: ast.AST) -> bool:
    """Whether squares, absolute values or norms are taken in it."""
    squared = any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Pow) for one in walk(node))
    return squared or bool(own_words(node) & _SIZES)


def _is_penalty(
    node: ast.AST, made: _Made, functions: Mapping[str, ast.FunctionDef], summed: set[str], depth: int
) -> bool:
    """Whether it is made of the sizes of a net's parameters, with no sign turned round in it."""
    words = own_words(node)
    turned = any(isinstance(one, ast.USub) for one in walk(node)) or any(_TURNED.search(word) for word in words)
    if turned:
        return False
    if words & summed or (words & _WEIGHTS and _is_size(node)):
        return True
    behind = [one for word in words for one in (*made.get(word, ()), *filter(None, [functions.get(word)]))]
    return bool(depth) and any(_is_penalty(one, made, functions, summed, depth - 1) for one in behind)
