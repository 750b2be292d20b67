"""An actor's loss in the source: whether the values that it leads to are made small instead of large."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, own_words
from danlu.watch.walking import walk

_ACTOR = re.compile(
    r"^(actor|policy|pi|a)_?loss$|^loss_?(actor|policy|pi|a)$|^(compute_|update_)?(actor|policy)_loss$", re.IGNORECASE
)
_VALUE = re.compile(
    r"^(min_?)?q(f|_?values?|_?vals?|_?net(work)?)?_?[12ab]?(_?(pi|new|min|policy))?s?$|^min_?qf?_?pi$|critic",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(r"loss|opt|param|log|target_entropy", re.IGNORECASE)
_ENTROPY = re.compile(r"(^|_)ent(ropy|ropies)?($|_)", re.IGNORECASE)
_THROUGH = {"mean", "sum", "squeeze", "min", "minimum", "flatten", "view", "unsqueeze", "amin", "forward", "Q1"}
_DEPTH = 4
_Made = Mapping[str, list[ast.AST]]


def may_act(text: SourceText) -> bool:
    """Whether there can be the loss of an actor."""
    return text.has({"backward"}) and text.matches(_ACTOR) and text.matches(_VALUE)


def flees_values(scope: ast.AST) -> int | None:
    """The line of an actor's loss in which values of its actions stand as they are, with nothing that turns them round.

    >>> flees_values(ast.parse("actor_loss = critic(s, actor(s)).mean()"))
    1
    >>> flees_values(ast.parse("actor_loss = (alpha * log_pi - q).mean()")) is None
    True
    """
    if "maximize" in own_words(scope):  # the optimizer turns it round
        return None
    made = assignments(scope)
    for line, value in _losses(scope):
        if set(_signs(value, made, 1, _DEPTH)) == {1}:
            return line
    return None


def entropy_term(scope: ast.AST) -> int | None:
    """The line of a sum of which a term speaks of an entropy."""
    for one in walk(scope):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add | ast.Sub):
            sides = [one.left, one.right]
            if any(isinstance(side, ast.BinOp | ast.Call | ast.UnaryOp) and _speaks(side) for side in sides):
                return one.lineno
    return None


def _speaks(node: ast.AST) -> bool:
    sums = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    return not sums and any(_ENTROPY.search(word) for word in own_words(node))


def _losses(scope: ast.AST) -> Iterator[tuple[int, ast.AST]]:
    """What an actor's loss is given, or what a function of that name returns, each with its line."""
    for one in walk(scope):
        if isinstance(one, ast.Assign) and any(_ACTOR.match(name_of(target)) for target in one.targets):
            yield one.lineno, one.value
        elif isinstance(one, ast.FunctionDef) and _ACTOR.match(one.name):
            for inner in walk(one):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield inner.lineno, inner.value


def _signs(node: ast.AST, made: _Made, sign: int, depth: int) -> Iterator[int]:
    """The signs with which values of actions stand in an expression; 0 where that is not to be seen."""
    match node:
        case ast.UnaryOp(op=ast.USub()):
            yield from _signs(node.operand, made, -sign, depth)
        case ast.BinOp(op=ast.Add()):
            yield from _signs(node.left, made, sign, depth)
            yield from _signs(node.right, made, sign, depth)
        case ast.BinOp(op=ast.Sub()):
            yield from _signs(node.left, made, sign, depth)
            yield from _signs(node.right, made, -sign, depth)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            for side in (node.left, node.right):
                turned = isinstance(side, ast.UnaryOp) and isinstance(side.op, ast.USub)
                sign = -sign if turned else sign
            for side in (node.left, node.right):
                yield from _signs(side.operand if isinstance(side, ast.UnaryOp) else side, made, sign, depth)
        case ast.Subscript():
            yield from _signs(node.value, made, sign, depth)
        case ast.Name():
            values = made.get(node.id, [])
            if len(values) == 1 and depth and _is_turned(values[0]):
                yield from _signs(values[0], made, sign, depth - 1)
            elif _is_value(node.id):
                yield sign
            elif len(values) == 1 and depth:
                yield from _signs(values[0], made, sign, depth - 1)
        case ast.Call():
            yield from _of_call(node, made, sign, depth)
        case ast.Attribute():
            if _is_value(node.attr):
                yield sign
        case _:
            pass


def _of_call(call: ast.Call, made: _Made, sign: int, depth: int) -> Iterator[int]:
    name = name_of(call.func)
    if _is_value(name):
        yield sign
    elif name in _THROUGH:
        own = call.func.value if isinstance(call.func, ast.Attribute) else None
        library = isinstance(own, ast.Name) and own.id in ("torch", "np", "F")
        for one in call.args if library or own is None else [own]:
            yield from _signs(one.value if isinstance(one, ast.Starred) else one, made, sign, depth)
    elif any(_is_value(word) for word in own_words(call)):
        yield 0


def _is_value(word: str) -> bool:
    return bool(_VALUE.search(word)) and not _NO_VALUE.search(word)


def _is_turned(node: ast.AST) -> bool:
    return any(isinstance(one, ast.USub) for one in walk(node))
