"""Distillation in the source: whether a divergence is softened on both sides, and scaled back."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, is_library, name_of, own_words, words_behind
from danlu.watch.walking import walk

_TEMPERATURE = re.compile(r"^(T|t|tau|temp|temperature)$|temp", re.IGNORECASE)
_OTHER = re.compile(r"entropy|criterion|nll|mse|bce|l1_|huber|hard|task|loss_f|^ce|^loss$", re.IGNORECASE)
_DEPTH = 6  # assignments that a value is followed through
_LEAST = 1.5  # temperature whose square matters
_DIVERGENCE = re.compile(r"kl|teacher", re.IGNORECASE)
_SOFTENED = re.compile(r"softmax")
_Made = Mapping[str, list[ast.AST]]


def may_distil(text: SourceText) -> bool:
    """Whether there can be a divergence between two distributions."""
    return text.matches(_DIVERGENCE) and text.matches(_SOFTENED)


def one_sided(scope: ast.AST) -> int | None:
    """The line of a divergence of which one side is softened by a temperature and the other is not; where nothing is
    seen of how the other was made, the square of the temperature in front of it tells that it is softened.

    >>> one_sided(ast.parse("kl_div(log_softmax(s / T, 1), softmax(t, 1))"))
    1
    >>> one_sided(ast.parse("loss = T ** 2 * kl_div(log_softmax(s, 1), soft_targets)"))
    1
    """
    made = assignments(scope)
    for node in _divergences(scope, made):
        softened = [_divisor(one, made) for one in node.args[:2]]
        if None not in softened and (softened[0] is _PLAIN) != (softened[1] is _PLAIN):
            return node.lineno
        if softened[0] is _PLAIN and softened[1] is None and _is_scaled_back(scope, node):
            return node.lineno
    return None


def _is_scaled_back(scope: ast.AST, divergence: ast.Call) -> bool:
    """Whether it is multiplied by the square of a temperature."""
    names = _names_of(scope, divergence)
    for node in walk(scope):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and _holds(node, divergence, names):
            temperatures = {word for word in own_words(node) if _TEMPERATURE.search(word)}
            if any(_is_square(one, temperatures) for one in walk(node)):
                return True
    return False


def unscaled(scope: ast.AST, whole: ast.AST, values: Mapping[str, Any]) -> int | None:
    """The line of a divergence softened on both sides that is added to another loss without the square of the
    temperature; `values` are what names mean now, `whole` is the file, in which no such square may stand.

    >>> scope = ast.parse("loss = kl_div(log_softmax(s / T, 1), softmax(t / T, 1)) + cross_entropy(s, y)")
    >>> unscaled(scope, scope, {"T": 4.0}), unscaled(scope, scope, {"T": 1.0})
    (1, None)
    """
    made = assignments(scope)
    for node in _divergences(scope, made):
        divisors = [one for one in (_divisor(arg, made) for arg in node.args[:2]) if one is not None]
        if len(divisors) < 2 or any(one is _PLAIN for one in divisors):
            continue
        temperatures = {word for one in divisors for word in own_words(one) if _TEMPERATURE.search(word)}
        number = _number(divisors[0], made, values)
        if number is not None and number < _LEAST:
            continue
        names = _names_of(scope, node)
        if not _is_added(whole, node, names) or _is_multiplied(whole, node, names, temperatures):
            continue
        if not any(_is_square(one, temperatures) for one in walk(whole)):
            return node.lineno
    return None


_PLAIN = ast.Constant(1)  # stands for the divisor of a softmax that has none


def _divergences(scope: ast.AST, made: _Made) -> Iterator[ast.Call]:
    for node in walk(scope):
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            named = "kl" in name_of(node.func).lower()
            if named or any("KLDiv" in word for word in words_behind(node.func, made)):
                yield node
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and _is_taught(scope, node, made):
            both = ast.Call(ast.Name("kl_div", ast.Load()), [node.left, node.right], [])
            yield ast.copy_location(both, node)


def _is_taught(scope: ast.AST, node: ast.BinOp, made: _Made) -> bool:
    """Whether it is the product of probabilities and logarithms of others, the one of a teacher."""
    kinds = [words_behind(one, made) & {"softmax", "log_softmax"} for one in (node.left, node.right)]
    crossed = sorted(map(len, kinds)) == [1, 1] and kinds[0] != kinds[1]
    return crossed and any("teacher" in word.lower() for word in words_behind(node, made))


def _divisor(node: ast.AST, made: _Made, depth: int = 0) -> ast.AST | None:
    """What the softmax that makes a value divides its logits by; None where no softmax is to be seen."""
    for one in walk(node):
        if isinstance(one, ast.Call) and "softmax" in name_of(one.func):
            given = one.func.value if isinstance(one.func, ast.Attribute) and not is_library(one.func) else None
            inside = one.args[0] if given is None and one.args else given
            return None if inside is None else _divided_by(inside, made, depth) or _PLAIN
    for one in walk(node):
        if isinstance(one, ast.Name) and depth < _DEPTH:
            for value in made.get(one.id, ()):
                found = _divisor(value, made, depth + 1)
                if found is not None:
                    return found
    return None


def _divided_by(node: ast.AST, made: _Made, depth: int) -> ast.AST | None:
    for one in walk(node):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div | ast.Mult):
            if any(_TEMPERATURE.search(word) for word in own_words(one.right)):
                return one.right
            if isinstance(one.op, ast.Div) and isinstance(one.right, ast.Constant):
                return one.right
        if isinstance(one, ast.Call) and name_of(one.func) in ("div", "div_", "true_divide") and one.args:
            return one.args[-1]
        if isinstance(one, ast.Name) and depth < _DEPTH:
            found = next((by for value in made.get(one.id, ()) if (by := _divided_by(value, made, depth + 1))), None)
            if found is not None:
                return found
    return None


def _number(node: ast.AST, made: _Made, values: Mapping[str, Any]) -> float | None:
    """The value of a divisor; None where it is not known."""
    if isinstance(node, ast.Name):
        known = values.get(node.id)
        if isinstance(known, int | float):
            return float(known)
        node = next((one for one in made.get(node.id, ()) if isinstance(one, ast.Constant)), node)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        known = getattr(values.get(node.value.id), "__dict__", {}).get(node.attr)
        return float(known) if isinstance(known, int | float) else None
    return float(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


def _names_of(scope: ast.AST, divergence: ast.Call) -> set[str]:
    """The names that hold the divergence, and those of the functions and loss objects that answer with it."""
    names: set[str] = set()
    for _ in range(_DEPTH):
        before = len(names)
        others: set[str] = set()  # that hold something else at another time, such as the loss that it is added to
        for node in walk(scope):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = {name_of(one) for one in (node.targets if isinstance(node, ast.Assign) else [node.target])}
                if _holds(node.value, divergence, names):
                    names |= targets
                else:
                    others |= targets
            elif isinstance(node, ast.FunctionDef | ast.ClassDef) and _answers_with(node, divergence, names):
                names.add(node.name)
        names -= {"", *others}
        if len(names) == before:
            break
    return names


def _answers_with(node: ast.FunctionDef | ast.ClassDef, divergence: ast.Call, names: set[str]) -> bool:
    """Whether a function returns the divergence, or an object of a class does where it is called."""
    if isinstance(node, ast.ClassDef):
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name in ("forward", "__call__")]
    else:
        methods = [node] if node.name not in ("forward", "__call__") else []
    returns = [one.value for method in methods for one in walk(method) if isinstance(one, ast.Return)]
    return any(_holds(one, divergence, names) for one in returns if one is not None)


def _holds(node: ast.AST, divergence: ast.Call, names: set[str]) -> bool:
    return any(_is_same(one, divergence) for one in walk(node)) or bool(own_words(node) & names)


def _is_same(one: ast.AST, call: ast.Call) -> bool:
    """Whether it is that call, in this tree or in a copy of it."""
    return isinstance(one, ast.Call) and (one.lineno, one.col_offset) == (call.lineno, call.col_offset)


def _is_added(whole: ast.AST, divergence: ast.Call, names: set[str]) -> bool:
    """Whether it is added to a loss of another kind."""
    made = assignments(whole)
    for node in walk(whole):
        if not isinstance(node, ast.BinOp | ast.AugAssign) or not isinstance(node.op, ast.Add):
            continue
        sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        held = [_holds(one, divergence, names) for one in sides]
        if isinstance(node, ast.AugAssign):
            held[0] = False
        if held[0] == held[1] or any(word == "item" for one in sides for word in own_words(one)):
            continue
        if any(_OTHER.search(word) for word in words_behind(sides[held[0]], made)):
            return True
    return False


def _is_multiplied(whole: ast.AST, divergence: ast.Call, names: set[str], temperatures: set[str]) -> bool:
    """Whether it is multiplied by the temperature, or by a number above 1."""
    for node in walk(whole):
        factors: list[ast.AST] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            factors = [
                one for one, other in ((node.left, node.right), (node.right, node.left))
                if _holds(other, divergence, names)
            ]  # fmt: skip
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult) and own_words(node.target) & names:
            factors = [node.value]
        for one in factors:
            if own_words(one) & temperatures or any(_is_above_one(part) for part in walk(one)):
                return True
    return False


def _is_above_one(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value > 1


def _is_square(node: ast.AST, temperatures: set[str]) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return bool(own_words(node.left) & temperatures)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return bool(own_words(node.left) & own_words(node.right) & temperatures)
    squares = isinstance(node, ast.Call) and name_of(node.func) in ("pow", "square")
    return squares and bool(own_words(node) & temperatures)
