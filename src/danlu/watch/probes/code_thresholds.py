"""A decision threshold in the source: on which scores it is chosen, and on which it is then used."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from danlu.watch.probes.code_words import assignments, name_of, own_words, words_behind
from danlu.watch.walking import stored, walk

_TEST = re.compile(
    r"^(?!.*train)(?!test_size)(.*test.*|(.*_)?te(_.*)?|[xyp]te?|.*hold_?out.*|.*unseen.*)$", re.IGNORECASE
)
_GRID = re.compile(r"linspace|arange|thresh|cuts?$|unique|sort|quantile|grid|candidates|^range$|^ts$", re.IGNORECASE)
_CURVES = ("roc_curve", "precision_recall_curve", "det_curve")
_BEST = {"argmax", "argmin", "max", "min", "idxmax", "idxmin", "nanargmax"}
_Made = Mapping[str, list[ast.AST]]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class _Search:
    """Scores compared with one threshold after the other."""

    line: int
    scores: ast.expr  # what is compared
    node: ast.AST  # within which it is searched
    names: set[str] = field(default_factory=set[str])  # that hold the best threshold, or the best figure
    picks: bool = False  # the best one is taken


def chosen_on_test(scope: ast.AST, whole: ast.AST) -> tuple[int, bool] | None:
    """The line where a threshold is chosen on the scores that it is then judged by, and whether these are called those
    of a test; None where it is used on others, or none is chosen. `whole` is the file, in which calls are looked for.

    >>> source = "best = max(linspace(0, 1, 9), key=lambda t: f1(y, p_test > t))\\nscore = f1(y, p_test > best)"
    >>> chosen_on_test(ast.parse(source), ast.parse(source))
    (1, True)
    >>> source = source.replace("y, p_test > t", "y, p_val > t")
    >>> chosen_on_test(ast.parse(source), ast.parse(source)) is None
    True
    """
    made = _made(scope)
    for search in _searches(scope):
        _follow(search, scope)
        if not search.picks:
            continue
        used = _uses(search, scope)
        function = _function_of(scope, search)
        given = _given(search, function, made, whole) if function is not None else []
        if function is not None and not used:
            used = [one for call in given for one in _uses_of_call(call, whole)]
        tested = _is_of_test(search.scores, scope, made)
        tested = tested or any(_TEST.search(word) for call in given for word in _given_words(call))
        elsewhere = [one for one in used if not _is_same(one, search.scores) and not _is_argument(one, given)]
        if elsewhere:
            continue
        curve = isinstance(search.node, ast.Call) and name_of(search.node.func) in _CURVES
        if used or (tested and not curve):
            return search.line, tested
    return None


def _made(scope: ast.AST) -> _Made:
    """What names were assigned, those of several that one call gives included."""
    made = assignments(scope)
    for node in walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for one in (part for target in node.targets if isinstance(target, ast.Tuple) for part in target.elts):
                made.setdefault(name_of(one), []).append(node.value)
    return made


def _is_of_test(scores: ast.expr, scope: ast.AST, made: _Made) -> bool:
    """Whether scores are called those of a test, or what they were made of is, or the loader that they came from."""
    words = own_words(scores)
    for _ in range(2):
        words |= {word for one in list(words) for value in made.get(one, ()) for word in own_words(value)}
        for loop in walk(scope):
            gathers = isinstance(loop, ast.For) and any(
                isinstance(one, ast.Call) and name_of(one.func) in ("append", "extend") and own_words(one.func) & words
                for one in walk(loop)
            )
            if isinstance(loop, ast.For) and gathers:
                words |= own_words(loop.iter)
    return any(_TEST.search(word) for word in words)


def _searches(scope: ast.AST) -> Iterator[_Search]:
    for node in walk(scope):
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and _is_grid(node.iter):
            compared = _compared(node.body, node.target.id, plain=not _counts(node.iter))
            compared = compared if compared is not None else _asked(node.body, node.target.id, scope)
            if compared is not None and _keeps_best(node):
                yield _Search(node.lineno, compared, node)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and len(node.generators) == 1:
            over = node.generators[0]
            body = [node.value, node.key] if isinstance(node, ast.DictComp) else [node.elt]
            name = name_of(over.target)
            compared = _compared(body, name, plain=not _counts(over.iter)) if name and _is_grid(over.iter) else None
            if compared is not None:
                yield _Search(node.lineno, compared, node)
        elif isinstance(node, ast.Call) and name_of(node.func) in ("max", "min"):
            key = next((one.value for one in node.keywords if one.arg == "key"), None)
            if isinstance(key, ast.Lambda) and len(key.args.args) == 1:
                name = key.args.args[0].arg
                compared = _compared([key.body], name) or _asked([key.body], name, scope)
                if compared is not None:
                    yield _Search(node.lineno, compared, node)
        elif isinstance(node, ast.Call) and name_of(node.func) in _CURVES and len(node.args) > 1:
            yield _Search(node.lineno, node.args[1], node)


def _is_grid(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple):
        return all(isinstance(one, ast.Constant) and isinstance(one.value, float) for one in node.elts)
    return any(_GRID.search(word) for word in own_words(node))


def _counts(node: ast.expr) -> bool:
    """Whether it counts from one whole number to another, as epochs are counted too."""
    return isinstance(node, ast.Call) and name_of(node.func) == "range"


def _compared(body: Sequence[ast.AST], name: str, *, plain: bool = True) -> ast.expr | None:
    """What is compared with the threshold of that name, element by element; where it is not `plain`, with one that is
    computed from it."""
    for node in (inner for one in body for inner in walk(one)):
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            continue
        sides = node.left, node.comparators[0]
        if isinstance(node.ops[0], ast.Lt | ast.LtE):
            sides = sides[1], sides[0]
        elif not isinstance(node.ops[0], ast.Gt | ast.GtE):
            continue
        by_it = name in own_words(sides[1]) and name not in own_words(sides[0])
        if by_it and (plain or not isinstance(sides[1], ast.Name)):
            return sides[0]
    return None


def _asked(body: Sequence[ast.AST], name: str, scope: ast.AST) -> ast.expr | None:
    """What a function of the user's is given beside the threshold of that name, where this is compared in there."""
    given = (_beside(call, {name}) for call in _judging(body, {name}, scope))
    return next(given, None)


def _judging(nodes: Sequence[ast.AST], names: set[str], scope: ast.AST) -> Iterator[ast.Call]:
    """The calls that hand on a threshold of these names to a function of the user's that compares something with it."""
    functions = {one.name: one for one in walk(scope) if isinstance(one, _Function)}
    for node in (inner for one in nodes for inner in walk(one)):
        function = functions.get(name_of(node.func)) if isinstance(node, ast.Call) else None
        if function is not None and isinstance(node, ast.Call) and any(_judges(node, one, function) for one in names):
            yield node


def _beside(call: ast.Call, names: set[str]) -> ast.expr:
    return ast.Tuple([one for one in call.args if name_of(one) not in names], ast.Load())


def _judges(call: ast.Call, name: str, function: _Function) -> bool:
    given = dict(zip((one.arg for one in function.args.args), call.args, strict=False))
    given |= {one.arg: one.value for one in call.keywords if one.arg}
    ours = [own for own, value in given.items() if isinstance(value, ast.Name) and value.id == name]
    return len(call.args) > 1 and any(_compared(function.body, own) is not None for own in ours)


def _keeps_best(loop: ast.For) -> bool:
    """Whether a loop keeps the best of what it goes through, or gathers all of it."""
    name = loop.target.id if isinstance(loop.target, ast.Name) else ""
    for node in walk(loop):
        if isinstance(node, ast.If) and any(name in own_words(one) for one in node.body):
            return True
        if isinstance(node, ast.Call) and name_of(node.func) in ("append", "max"):
            return True
    return False


def _follow(search: _Search, scope: ast.AST) -> None:
    """Which names hold what was chosen."""
    names = search.names
    if isinstance(search.node, ast.For) and isinstance(search.node.target, ast.Name):
        for node in walk(search.node):
            if isinstance(node, ast.If):
                kept = stored(*(one for one in node.body if search.node.target.id in own_words(one)))
                names |= kept
                search.picks = search.picks or bool(kept)
            if isinstance(node, ast.Call) and name_of(node.func) == "append" and isinstance(node.func, ast.Attribute):
                names.add(name_of(node.func.value))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and name_of(node.value.func) == "max":
                names |= stored(node)
                search.picks = True
    search.picks = search.picks or (isinstance(search.node, ast.Call) and name_of(search.node.func) in _BEST)
    figures: set[str] = set()  # computed from a curve, threshold by threshold
    for _ in range(3):
        for node in walk(scope):
            inside = any(one is search.node for one in walk(node))
            if isinstance(node, ast.Assign) and own_words(node.value) & (names | figures):
                figures |= stored(node)
            about = inside or bool(own_words(node) & (names | figures))
            if isinstance(node, ast.Call) and name_of(node.func) in _BEST and about and node is not search.node:
                search.picks = True
            if not isinstance(node, ast.Assign) or node.lineno < search.line:
                continue
            if inside or (own_words(node.value) & names and own_words(node.value) & _BEST):
                names |= stored(node)


def _uses(search: _Search, scope: ast.AST) -> list[ast.expr]:
    """What is compared with the chosen threshold outside of the search."""
    inside = {id(one) for one in walk(search.node)}
    found = [one for one in _compared_with(scope, search.names) if id(one) not in inside]
    if isinstance(search.scores, ast.Tuple):
        calls = _judging([scope], search.names, scope)
        found += [_beside(one, search.names) for one in calls if id(one) not in inside]
    return found


def _compared_with(scope: ast.AST, names: set[str]) -> Iterator[ast.expr]:
    for node in walk(scope):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = node.left, node.comparators[0]
            if isinstance(node.ops[0], ast.Gt | ast.GtE) and own_words(right) & names:
                yield left
            elif isinstance(node.ops[0], ast.Lt | ast.LtE) and own_words(left) & names:
                yield right


def _function_of(scope: ast.AST, search: _Search) -> _Function | None:
    """The innermost function that the search stands in and that answers with what it chose."""
    around = [
        one for one in walk(scope)
        if isinstance(one, _Function) and any(inner is search.node for inner in walk(one))
    ]  # fmt: skip
    inner = around[-1] if around else None
    returns = [one for one in walk(inner) if isinstance(one, ast.Return) and one.value] if inner else []
    inside = {id(one) for one in walk(search.node)}
    given = any(own_words(one) & search.names or any(id(part) in inside or part is search.node
                for part in walk(one)) for one in returns)  # fmt: skip
    return inner if given else None


def _given(search: _Search, function: _Function, made: _Made, whole: ast.AST) -> list[ast.Call]:
    """The calls of the function in which a threshold is chosen, where its scores come from what it is given."""
    own = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    if not words_behind(search.scores, made) & (own - {"self", "model", "net"}):
        return []
    return [one for one in walk(whole) if isinstance(one, ast.Call) and name_of(one.func) == function.name]


def _given_words(call: ast.Call) -> set[str]:
    return {word for one in (*call.args, *(key.value for key in call.keywords)) for word in own_words(one)}


def _uses_of_call(call: ast.Call, whole: ast.AST) -> list[ast.expr]:
    """What is compared with the answer of a call."""
    names = {
        word for node in walk(whole) if isinstance(node, ast.Assign) and any(
            one is call for one in walk(node.value)) for word in stored(node)
    }  # fmt: skip
    return list(_compared_with(whole, names))


def _is_same(one: ast.expr, other: ast.expr) -> bool:
    return ast.dump(one) == ast.dump(other)


def _is_argument(one: ast.expr, calls: list[ast.Call]) -> bool:
    """Whether it is what the function that chose the threshold was given."""
    each = [arg for call in calls for arg in (*call.args, *(key.value for key in call.keywords))]
    return any(_is_same(one, arg) for arg in each)
