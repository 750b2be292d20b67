"""Losses that are computed by hand, in the source: the lines that show which they are."""

import ast
import re
from collections.abc import Iterable

from danlu.watch.probes.code_words import assignments, name_of, own_words, words_behind
from danlu.watch.walking import walk

WEIGHED = re.compile(r"(^|_)(adv|advs|advantages?)(_|$)", re.IGNORECASE)
"""The names of advantages."""


def square_of_difference(scope: ast.AST) -> int | None:
    """The line of the only squared difference in the source; None where there is none, or several.

    >>> square_of_difference(ast.parse("a = b ** 2\\nloss = (out - y).pow(2).mean()"))
    2
    """
    lines: set[int] = set()
    for one in walk(scope):
        inner: ast.AST | None = None
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Pow):
            inner = one.left
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in ("pow", "square"):
            inner = one.func.value if one.func.attr == "square" or one.args else None
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub):
            lines.add(one.lineno if isinstance(one, ast.BinOp) else inner.lineno)
    return lines.pop() if len(lines) == 1 else None


def ratio_of_sums(scope: ast.AST) -> int | None:
    """The line of the only division of a sum, with a product in it or in what it was made of, by sums; None where there
    is none, or several.

    >>> ratio_of_sums(ast.parse("both = (p * m).sum()\\nloss = 1 - 2 * both / (p.sum() + m.sum())"))
    2
    """
    made = assignments(scope)
    lines: set[int] = set()
    for one in walk(scope):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div):
            below = {name_of(call.func) for call in walk(one.right) if isinstance(call, ast.Call)}
            above = [one.left, *(value for name in own_words(one.left) for value in made.get(name, ()))]
            product = any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult) and "sum" in own_words(each)
                          for each in above for part in walk(each))  # fmt: skip
            if product and "sum" in below | words_behind(one.right, made):
                lines.add(one.lineno)
    return lines.pop() if len(lines) == 1 else None


def times_advantage(scope: ast.AST) -> int | None:
    """The first line that multiplies something with an advantage.

    >>> times_advantage(ast.parse("adv = adv - adv.mean()\\nloss = -(adv * ratio).mean()"))
    2
    """
    for one in walk(scope):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult):
            words = [name_of(part) for side in (one.left, one.right) for part in _plain(side)]
            if any(WEIGHED.search(word) for word in words):
                return one.lineno
    return None


def _plain(node: ast.AST) -> Iterable[ast.AST]:
    """A name or an attribute, whatever sign it has and of whatever part it is."""
    while isinstance(node, ast.UnaryOp):
        node = node.operand
    return [node] if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else []
