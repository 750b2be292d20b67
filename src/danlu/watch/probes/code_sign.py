"""The sign of a loss in the source: whether what is to become large is made small."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, own_words
from danlu.watch.walking import walk

_SCORES = re.compile(
    r"^(?!.*(loss|dist|error|crit))(.*_)?(dice|iou|jaccard|tversky|ssim|psnr)(_(score|coeff?(icient)?|index))?$",
    re.IGNORECASE,
)
_CHANCE = re.compile(r"^log_?(p|prob|probs|pi)$|^logps?$|^saved_log_probs$", re.IGNORECASE)
_RETURN = re.compile(r"^(adv|advantages?|returns?|rewards?|rets?|deltas?)$", re.IGNORECASE)
_THROUGH = {"mean", "sum", "squeeze", "stack", "cat"}
_DEPTH = 6
_Made = Mapping[str, list[ast.AST]]


def may_score(text: SourceText) -> bool:
    """Whether a backward pass can begin at a score, or at chances times returns."""
    chances = text.matches(_CHANCE) and text.matches(_RETURN)
    return text.has({"backward"}) and (chances or text.has({"cosine_similarity"}) or text.matches(_SCORES))


def made_small(scope: ast.AST) -> int | None:
    """The line of a backward pass from a score that grows with the quality (Dice, overlap, likeness), or from chances
    times returns, with nothing that turns it round.

    >>> made_small(ast.parse("loss = cosine_similarity(net(x), y).mean()\\nloss.backward()"))
    1
    >>> made_small(ast.parse("loss = 1 - cosine_similarity(net(x), y).mean()\\nloss.backward()")) is None
    True
    """
    made = assignments(scope)
    if "maximize" in own_words(scope):  # the optimizer turns it round
        return None
    scores = {one.name for one in walk(scope) if isinstance(one, ast.FunctionDef) and _is_plain_score(one)}
    for node in walk(scope):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward":
            terms = list(_terms(node.func.value, made))
            alone = {"cosine_similarity"} if len(terms) == 1 else set[str]()  # beside others it may keep them apart
            for term in terms:
                score = isinstance(term, ast.Call) and name_of(term.func) in scores | alone
                if score or _is_chance_times_return(term, made):
                    return getattr(term, "lineno", None)
    return None


def _terms(node: ast.AST, made: _Made, depth: int = _DEPTH) -> Iterator[ast.AST]:
    """What a loss adds up as it is, through means and sums, with a sign that is not turned round."""
    if isinstance(node, ast.Name) and depth and len(made.get(node.id, ())) == 1:
        yield from _terms(made[node.id][0], made, depth - 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _terms(node.left, made, depth)
        yield from _terms(node.right, made, depth)
    elif isinstance(node, ast.Call) and name_of(node.func) in _THROUGH:
        own = node.func.value if isinstance(node.func, ast.Attribute) else None
        library = isinstance(own, ast.Name) and own.id in ("torch", "np")
        inner = node.args[0] if (own is None or library) and node.args else own
        if inner is not None:
            yield from _terms(inner, made, depth)
    else:
        yield node


def _is_plain_score(function: ast.FunctionDef) -> bool:
    """Whether a function is called as a score, and nothing in it is turned round: no opposite, nothing less another."""
    turns = (
        (isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub))
        or (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) and isinstance(part.left, ast.Constant))
        for part in walk(function)
    )  # fmt: skip
    return bool(_SCORES.match(function.name)) and not any(turns)


def _is_chance_times_return(node: ast.AST, made: _Made) -> bool:
    """Whether it is a logarithm of chances times what followed, and neither was turned round before."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return False
    pairs = (node.left, node.right), (node.right, node.left)
    both = any(_says(one, _CHANCE) and _says(other, _RETURN) for one, other in pairs)
    values = [node, *(value for word in own_words(node) for value in made.get(word, ()))]
    return both and not any(
        isinstance(one, ast.USub) or (isinstance(one, ast.Constant) and one.value == -1)
        for value in values for one in walk(value)
    )  # fmt: skip


def _says(node: ast.AST, pattern: re.Pattern[str]) -> bool:
    return any(pattern.match(word) for word in own_words(node))
