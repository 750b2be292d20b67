"""Accuracies in the source: whether they count places that have no label."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, own_words, words_behind
from danlu.watch.walking import stored, walk

_CHOSEN = re.compile(
    r"mask|pad|ignor|valid|length|(^|_)lens?($|_)|keep|kept|real|attention|select|active|nonzero|count_nonzero",
    re.IGNORECASE,
)
_SIZES = {"numel", "nelement"}
_LARGEST = {"argmax", "max", "topk"}
_SELECTS = {*_LARGEST, "masked_select", "where", "index_select", "cat", "stack"}
_Made = Mapping[str, list[ast.AST]]


def may_count(text: SourceText) -> bool:
    """Whether there can be a share of right answers."""
    return text.has(_LARGEST) and (text.has({"mean"}) or text.has(_SIZES))


def counts_all_places(scope: ast.AST) -> int | None:
    """The line of a share of right answers over all places of a batch, of which nothing leaves any out.

    >>> counts_all_places(ast.parse("hits = logits.argmax(-1) == y\\naccuracy = hits.float().mean()"))
    2
    >>> counts_all_places(ast.parse("hits = (logits.argmax(-1) == y)[y != 0]\\naccuracy = hits.float().mean()")) is None
    True
    """
    made = _made(scope)
    given = _given(scope)
    for node in walk(scope):
        own = given.get(id(node), frozenset())
        known = {name: values for name, values in made.items() if name not in own} if own else made
        share = _averaged(node, known)
        if share is None:
            continue
        if _compares(share, known) and not _leaves_out(share, known):
            return getattr(node, "lineno", None)
    return None


def _given(scope: ast.AST) -> dict[int, frozenset[str]]:
    """By the id of a piece of source the arguments of its function that this gives no value of its own: what other
    functions call by the same name says nothing of them."""
    found: dict[int, frozenset[str]] = {}
    for one in walk(scope):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {arg.arg for arg in (*one.args.args, *one.args.kwonlyargs)} - stored(*one.body)
            found |= {id(part): frozenset(names) for part in walk(one)}
    return found


def _made(scope: ast.AST) -> dict[str, list[ast.AST]]:
    """What names were assigned, the places of largest answers included, which come behind these."""
    made = assignments(scope)
    for node in walk(scope):
        if isinstance(node, ast.Assign) and name_of(node.value) in _LARGEST:
            for one in (part for target in node.targets if isinstance(target, ast.Tuple) for part in target.elts):
                made.setdefault(name_of(one), []).append(node.value)
    return made


def _averaged(node: ast.AST, made: _Made) -> ast.expr | None:
    """What is averaged: `x.mean()`, `mean(x)`, or `x.sum()` over a number of elements, both summed up or not."""
    if isinstance(node, ast.Call) and name_of(node.func) == "mean":
        method = isinstance(node.func, ast.Attribute) and not _is_module(node.func.value)
        if method and isinstance(node.func, ast.Attribute):
            return node.func.value
        return node.args[0] if node.args else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        sizes, summed = _with_values(node.right, made), _with_values(node.left, made)
        return node.left if sizes & _SIZES and "sum" in summed else None
    return None


def _with_values(node: ast.AST, made: _Made) -> set[str]:
    """The words of an expression; of a plain name those of what it was given."""
    if not isinstance(node, ast.Name):
        return own_words(node)
    return {word for value in made.get(node.id, ()) for word in own_words(value)}


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "np", "numpy", "statistics")


def _compares(node: ast.AST, made: _Made, depth: int = 2) -> bool:
    """Whether a value is a comparison of the places of the largest answers with something, or was made of one."""
    for one in walk(node):
        equal = isinstance(one, ast.Compare) and len(one.ops) == 1 and isinstance(one.ops[0], ast.Eq)
        if equal or (isinstance(one, ast.Call) and name_of(one.func) == "eq"):
            return bool(words_behind(one, made) & _LARGEST)
        values = made.get(one.id, ()) if isinstance(one, ast.Name) and depth else ()
        if any(_compares(value, made, depth - 1) for value in values):
            return True
    return False


def _leaves_out(node: ast.AST, made: _Made) -> bool:
    """Whether some places are chosen on the way: by a mask, a length, a comparison with what marks them. What a net is
    given to answer is no choice among its answers."""
    waiting, seen = [node], set[str]()
    answers: set[int] = set()
    while waiting:
        top = waiting.pop()
        for one in _but_arguments(top) if id(top) in answers else walk(top):
            if isinstance(one, ast.Compare) and not isinstance(one.ops[0], ast.Eq):
                return True
            if isinstance(one, ast.Subscript) and _is_mask(one.slice):
                return True
            word = name_of(one) if isinstance(one, ast.Name | ast.Attribute) else ""
            if _CHOSEN.search(word):
                return True
            if isinstance(one, ast.Name) and word not in seen:
                seen.add(word)
                values = made.get(word, ())
                answers |= {id(value) for value in values if id(top) in answers or own_words(value) & _LARGEST}
                waiting.extend(values)
    return False


def _but_arguments(node: ast.AST) -> Iterator[ast.AST]:
    """All that stands in an expression but for the arguments of what answers in it: `model(x, lengths).argmax(-1)`."""
    waiting = [node]
    for one in waiting:  # it grows as it is gone through
        yield one
        called = isinstance(one, ast.Call) and name_of(one.func) not in _SELECTS
        waiting += [one.func] if isinstance(one, ast.Call) and called else ast.iter_child_nodes(one)


def _is_mask(place: ast.AST) -> bool:
    """Whether an index may leave places out: a name, a comparison, a call, and no slice or number."""
    parts = place.elts if isinstance(place, ast.Tuple) else [place]
    kinds = ast.Name | ast.Compare | ast.Call | ast.UnaryOp
    return any(isinstance(one, kinds) and not _is_number(one) for one in parts)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
