"""The divergence of a normal distribution from the standard one in the source."""

import ast

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import walk


def may_diverge(text: SourceText) -> bool:
    """Whether there can be such a divergence."""
    return text.has({"kl_divergence"}) or (text.has({"exp"}) and (text.has_powers or text.has({"pow", "square"})))


def divergence_from_normal(scope: ast.AST) -> int | None:
    """The line of 1 + log σ² - μ² - σ², or of a call of kl_divergence; None where there is none.

    >>> divergence_from_normal(ast.parse("kl = -0.5 * (1 + v - m.pow(2) - v.exp()).sum()"))
    1
    >>> divergence_from_normal(ast.parse("z = m + (v / 2).exp() * noise")) is None
    True
    """
    for node in walk(scope):
        if isinstance(node, ast.Call) and name_of(node.func) == "kl_divergence":
            return node.lineno
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            parts = list(walk(node))
            calls = {name_of(one.func) for one in parts if isinstance(one, ast.Call)}
            squares = calls & {"pow", "square"} or any(_is_square(one) for one in parts)
            one = any(isinstance(part, ast.Constant) and part.value == 1 for part in parts)
            if "exp" in calls and squares and one:
                return node.lineno
    return None


def _is_square(node: ast.AST) -> bool:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Pow):
        return False
    return isinstance(node.right, ast.Constant) and node.right.value == 2
