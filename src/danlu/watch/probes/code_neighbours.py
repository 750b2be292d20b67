"""Nearest neighbours in the source: whether what is asked for is sought among the very samples that ask."""

import ast
from collections.abc import Iterator

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of, own_words
from danlu.watch.walking import walk

_NEAREST = {"argmax", "argmin", "max", "min"}
_SPARED = {
    "fill_diagonal_", "eye", "diag", "diagonal", "fill_diagonal", "diag_indices", "diagonal_scatter", "topk",
    "argsort", "sort", "kthvalue", "masked_fill", "masked_fill_", "where",
}  # fmt: skip
_TURNED = {"T", "t", "mT", "transpose"}
_TRAINS = {"backward", "cross_entropy", "arange"}


def may_seek(text: SourceText) -> bool:
    """Whether neighbours can be sought."""
    return text.has(_TURNED | {"cdist"}) and text.has(_NEAREST)


def finds_itself(scope: ast.AST) -> int | None:
    """The line that takes the nearest of samples by their likeness with themselves, the sample itself included.

    >>> source = "near = e @ e.T\\nlabels = y[near.argmax(1)]\\nscore = (labels == y).float().mean()"
    >>> finds_itself(ast.parse(source))
    2
    >>> finds_itself(ast.parse("near = q @ e.T\\nlabels = y[near.argmax(1)]")) is None
    True
    """
    for home in _homes(scope):
        words = own_words(home)
        if words & (_SPARED | _TRAINS):
            continue
        alike = {name_of(one.targets[0]) for one in walk(home) if isinstance(one, ast.Assign) and _of_itself(one.value)}
        for one in walk(home):
            if isinstance(one, ast.Subscript) and not isinstance(one.ctx, ast.Store) and _nearest(one.slice, alike):
                return one.lineno
    return None


def _homes(scope: ast.AST) -> Iterator[ast.AST]:
    """Functions and loops in which nothing is trained, and what stands outside of all."""
    for one in walk(scope):
        if isinstance(one, ast.Module | ast.FunctionDef | ast.For | ast.With):
            yield one


def _of_itself(node: ast.AST) -> bool:
    """Whether it is the likeness, or the distance, of each of some samples with each."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        other = node.right
        turned = name_of(other) in _TURNED
        while isinstance(other, ast.Call | ast.Attribute):
            other = other.func if isinstance(other, ast.Call) else other.value
        return turned and isinstance(node.left, ast.Name) and isinstance(other, ast.Name) and node.left.id == other.id
    if isinstance(node, ast.Call) and name_of(node.func) == "cdist" and len(node.args) > 1:
        return ast.dump(node.args[0]) == ast.dump(node.args[1])
    return False


def _nearest(place: ast.AST, alike: set[str]) -> bool:
    if not isinstance(place, ast.Call) or name_of(place.func) not in _NEAREST:
        return False
    return isinstance(place.func, ast.Attribute) and name_of(place.func.value) in alike
