"""The divergence of a normal distribution from the standard one in the source."""

import ast
from collections.abc import Iterator

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of, own_words
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


def rewarded_divergence(scope: ast.AST) -> int | None:
    """The line that adds such a divergence to a loss with its sign turned, so that it is made large.

    >>> source = "kl = {} * (1 + v - m.pow(2) - v.exp()).sum()\\nloss = rec + kl\\nloss.backward()"
    >>> rewarded_divergence(ast.parse(source.format("0.5"))), rewarded_divergence(ast.parse(source.format("-0.5")))
    (2, None)
    """
    turned = {
        name_of(one.targets[0])
        for one in walk(scope)
        if isinstance(one, ast.Assign) and _sign_of_formula(one.value) == -1
    } - {""}  # fmt: skip
    for value in _losses(scope):
        if any(sign > 0 for sign in _signs(value, turned, 1)):
            return value.lineno
    return None


def _losses(scope: ast.AST) -> Iterator[ast.expr]:
    """What is given to the name of a loss, or by a function of such a name."""
    for one in walk(scope):
        if isinstance(one, ast.Assign) and any("loss" in name_of(each).lower() for each in one.targets):
            yield one.value
        elif isinstance(one, ast.FunctionDef) and "loss" in one.name.lower():
            yield from (inner.value for inner in walk(one) if isinstance(inner, ast.Return) and inner.value is not None)


def _sign_of_formula(node: ast.AST) -> int:
    """1 where it is such a divergence, -1 where it is one with its sign turned, 0 where it is none."""
    match node:
        case ast.UnaryOp(op=ast.USub()):
            return -_sign_of_formula(node.operand)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            sign = 1
            for side in (node.left, node.right):
                sign = -sign if isinstance(side, ast.UnaryOp) and isinstance(side.op, ast.USub) else sign
            inner = (side.operand if isinstance(side, ast.UnaryOp) else side for side in (node.left, node.right))
            return sign * next((found for side in inner if (found := _sign_of_formula(side))), 0)
        case ast.Call():
            own = node.func.value if isinstance(node.func, ast.Attribute) else None
            inner = node.args[0] if node.args and not isinstance(node.args[0], ast.Constant) else own
            return _sign_of_formula(inner) if inner is not None and name_of(node.func) in ("sum", "mean") else 0
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return -1 if _is_turned_formula(node) else 0
        case _:
            return 0


def _is_turned_formula(node: ast.BinOp) -> bool:
    """Whether it is 1 + log σ² - μ² - σ²: nothing else begins so and takes a square and an exponential off."""
    taken_off: list[ast.AST] = []
    at: ast.expr = node
    while isinstance(at, ast.BinOp) and isinstance(at.op, ast.Sub):
        taken_off.append(at.right)
        at = at.left
    sides = (at.left, at.right) if isinstance(at, ast.BinOp) and isinstance(at.op, ast.Add) else ()
    one = any(isinstance(side, ast.Constant) and side.value == 1 for side in sides)
    squares = [part for part in taken_off if own_words(part) & {"pow", "square"} or any(map(_is_square, walk(part)))]
    return one and bool(squares) and any("exp" in own_words(part) for part in taken_off if part not in squares)


def _signs(node: ast.AST, names: set[str], sign: int) -> Iterator[int]:
    """The signs with which these names stand in a sum."""
    match node:
        case ast.Name() if node.id in names:
            yield sign
        case ast.UnaryOp(op=ast.USub()):
            yield from _signs(node.operand, names, -sign)
        case ast.BinOp(op=ast.Add()):
            yield from _signs(node.left, names, sign)
            yield from _signs(node.right, names, sign)
        case ast.BinOp(op=ast.Sub()):
            yield from _signs(node.left, names, sign)
            yield from _signs(node.right, names, -sign)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            turned = any(isinstance(side, ast.UnaryOp) for side in (node.left, node.right))
            for side in () if turned else (node.left, node.right):
                yield from _signs(side, names, sign)
        case ast.Call(func=ast.Attribute(value=own)) if name_of(node.func) in ("mean", "sum"):
            yield from _signs(node.args[0] if node.args else own, names, sign)
        case _:
            pass


def _is_square(node: ast.AST) -> bool:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Pow):
        return False
    return isinstance(node.right, ast.Constant) and node.right.value == 2
