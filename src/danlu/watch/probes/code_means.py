"""Scores in the source: means of what each batch gave, whatever the size of the batches, or of the score."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from torch import nn

from danlu.watch.probes.code_words import assignments, name_of, own_words, words_behind
from danlu.watch.walking import walk

_MEANS = re.compile(r"loss|mean|acc|entropy|criterion|nll", re.IGNORECASE)
_CURVED = re.compile(
    r"(^|_)(f1|f_?beta|fscore|precision|recall|auc|auroc|iou|jaccard|dice|rmse|perplexity|ppl|exp|r2|pearson\w*|corr\w*"
    r"|mcc)(_|$)",
    re.IGNORECASE,
)  # what all samples together give is not the mean of what their parts give
_AVERAGES = ("mean", "fmean", "nanmean")
_UPDATES = ("update", "add", "add_value", "log", "append")
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.GeneratorExp
_DIRECT = 0  # place of what is handed back alone


def mean_of_means(
    scope: ast.AST, line: int, whole: ast.AST | None = None, known: Mapping[str, Any] | None = None
) -> tuple[int, bool] | None:
    """The line that divides a sum of the batches' own means by the number of batches, and whether that is wrong of
    batches of one size too; `line` is in that loop, or calls the net in a function that it calls. `whole` is the file,
    and `known` what names mean.

    >>> source = "t = 0\\nfor x, y in loader:\\n t += crit(net(x), y).item()\\nprint(t / len(loader))"
    >>> mean_of_means(ast.parse(source), 3, known={"crit": nn.CrossEntropyLoss()})
    (4, False)
    >>> mean_of_means(ast.parse(source.replace(".item()", ".item() * len(x)")), 3, known={"crit": nn.MSELoss()}) is None
    True
    >>> source = "parts = [f1_score(net(x), y) for x, y in loader]\\nf1 = sum(parts) / len(parts)"
    >>> mean_of_means(ast.parse(source), 1)
    (2, True)
    """
    places = [scope, *([whole] if whole is not None and whole is not scope else [])]
    functions = {one.name: one for place in places for one in walk(place) if isinstance(one, _Function)}
    losses = {name for name, value in (known or {}).items() if _is_mean_loss(value)}
    for loop in reversed([one for one in walk(scope) if isinstance(one, _Loop) and _holds(one, line)]):
        means = _Means(loop, scope, functions, losses)
        gathered = dict(means.gathered())
        found = _averaged(scope, gathered, loop, means) or means.untold(whole or scope)
        if found is None and gathered and whole is not None:
            found = _averaged_by_caller(whole, scope, gathered, loop, means)
        if found is not None:
            return found
    return None


class _Means:
    """What is taken for a batch's mean within one loop."""

    def __init__(
        self, loop: _Loop, scope: ast.AST, functions: Mapping[str, _Function], losses: Collection[str]
    ) -> None:
        self._loop = loop
        self._functions = functions
        self._losses = losses
        self._made = assignments(loop)
        if isinstance(loop, ast.ListComp | ast.GeneratorExp):
            self._made = {}
        self._scope = scope
        counts = (one for one in walk(loop) if isinstance(one, ast.AugAssign) and _is_one(one.value))
        self.counters = {name_of(one.target) for one in counts}

    def gathered(self) -> Iterator[tuple[str, bool]]:
        """The names that means are added to or listed in, and whether they are of a kind that has no mean."""
        if isinstance(self._loop, ast.ListComp | ast.GeneratorExp):
            kind = self.kind(self._loop.elt)
            if kind is not None:
                for one in walk(self._scope):
                    if isinstance(one, ast.Assign) and any(part is self._loop for part in walk(one.value)):
                        yield from ((name_of(target), kind) for target in one.targets)
            return
        for one in walk(self._loop):
            value: ast.AST | None = None
            name = ""
            if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Add):
                name, value = name_of(one.target), one.value
            elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "append":
                name, value = name_of(one.func.value), one.args[0] if one.args else None
            elif isinstance(one, ast.Assign) and isinstance(one.value, ast.BinOp) and isinstance(one.value.op, ast.Add):
                name = name_of(one.targets[0])
                sides = (one.value.left, one.value.right)
                value = next((other for own, other in (sides, sides[::-1]) if name_of(own) == name), None)
            kind = self.kind(value) if value is not None else None
            if kind is not None:
                yield name, kind

    def untold(self, whole: ast.AST) -> tuple[int, bool] | None:
        """The line that gives a meter a batch's mean and not the number of its samples, which the meter would take."""
        counting = set(_counting_methods(whole))
        for one in walk(self._loop):
            alone = isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and len(one.args) == 1
            if not alone or not isinstance(one, ast.Call) or one.keywords or name_of(one.func) not in counting:
                continue
            kind = self.kind(one.args[0])
            if kind is not None:
                return one.lineno, kind
        return None

    def kind(self, node: ast.AST) -> bool | None:
        """Whether a batch's mean is of a kind that has no mean; None where it is none, or is multiplied by a size."""
        if any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult) for one in walk(node)):
            return None
        words = words_behind(node, self._made)
        for word in [one for one in words if one in self._functions]:
            inside = self._functions[word]
            given = [one.value for one in walk(inside) if isinstance(one, ast.Return) and one.value is not None]
            words |= {other for one in given for other in words_behind(one, assignments(inside))}
        if words & {"sum", "reduction", "numel", "size"}:
            return True if any(_CURVED.search(word) for word in words if word not in ("sum", "size")) else None
        if any(_CURVED.search(word) for word in words):
            return True
        return False if words & set(self._losses) or any(_MEANS.search(word) for word in words) else None

    def counts(self, node: ast.AST, gathered: Collection[str]) -> bool:
        """Whether it is the number of the batches."""
        if isinstance(node, ast.Call) and name_of(node.func) == "len" and node.args:
            name = name_of(node.args[0])
            return name in gathered or name in self._over()
        return isinstance(node, ast.Name) and node.id in self.counters

    def _over(self) -> set[str]:
        loop = self._loop
        loops = loop.generators if isinstance(loop, ast.ListComp | ast.GeneratorExp) else [loop]
        over = (one.iter for one in loops)
        return {name_of(one.args[0]) if isinstance(one, ast.Call) and one.args else name_of(one) for one in over} - {""}


def _averaged(scope: ast.AST, gathered: Mapping[str, bool], loop: _Loop, means: _Means) -> tuple[int, bool] | None:
    for one in walk(scope):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div) and means.counts(one.right, gathered):
            names = own_words(one.left) & set(gathered)
            if names:
                return one.lineno, any(gathered[name] for name in names)
            if any(part is loop for part in walk(one.left)) and means.kind(getattr(loop, "elt", one)) is not None:
                return one.lineno, bool(means.kind(getattr(loop, "elt", one)))
        if isinstance(one, ast.Call) and name_of(one.func) in _AVERAGES and one.args:
            if name_of(one.args[0]) in gathered:
                return one.lineno, gathered[name_of(one.args[0])]
            inner = next((part for part in walk(one.args[0]) if part is loop), None)
            kind = means.kind(inner.elt) if isinstance(inner, ast.ListComp | ast.GeneratorExp) else None
            if kind is not None:
                return one.lineno, kind
    return None


def _averaged_by_caller(
    whole: ast.AST, scope: ast.AST, gathered: Mapping[str, bool], loop: _Loop, means: _Means
) -> tuple[int, bool] | None:
    """The same where a function hands the list back, and whoever called it averages."""
    if not isinstance(scope, _Function):
        return None
    given = dict(_handed_back(scope, gathered))
    for home in _callers(whole, scope.name):
        names: dict[str, bool] = {}
        for one in walk(home):
            if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call) and name_of(one.value) == scope.name:
                target = one.targets[0]
                each = target.elts if isinstance(target, ast.Tuple) else [target]
                names |= {name_of(part): given[place] for place, part in enumerate(each) if place in given}
        found = _averaged(home, names, loop, means) if names else None
        if found is not None:
            return found
    return None


def _handed_back(function: _Function, gathered: Mapping[str, bool]) -> Iterator[tuple[int, bool]]:
    for one in walk(function):
        if isinstance(one, ast.Return) and one.value is not None:
            each = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
            yield from ((n, gathered[part.id]) for n, part in enumerate(each)
                        if isinstance(part, ast.Name) and part.id in gathered)  # fmt: skip


def _callers(whole: ast.AST, function: str) -> Iterable[ast.AST]:
    """The functions that call this one, the innermost first, and the file."""
    homes = [one for one in walk(whole) if isinstance(one, _Function) and one.name != function]
    calling = [
        home for home in homes
        if any(isinstance(one, ast.Call) and name_of(one.func) == function for one in walk(home))
    ]  # fmt: skip
    return [*reversed(calling), whole]


def _counting_methods(whole: ast.AST) -> Iterator[str]:
    """The names of methods of meters that take a value and, 1 where none is given, how many samples it is of."""
    for kind in walk(whole):
        if not isinstance(kind, ast.ClassDef):
            continue
        for one in kind.body:
            if not isinstance(one, ast.FunctionDef) or one.name not in _UPDATES or len(one.args.args) != 3:
                continue
            count = one.args.args[2].arg
            multiplies = any(
                isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult) and count in own_words(part)
                for part in walk(one)
            )
            if multiplies and len(one.args.defaults) == 1 and _is_one(one.args.defaults[0]):
                yield one.name


def _holds(loop: ast.AST, line: int) -> bool:
    return getattr(loop, "lineno", 0) <= line <= (getattr(loop, "end_lineno", 0) or 0)


def _is_one(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _is_mean_loss(value: Any) -> bool:
    """Whether an object is a loss of torch's that gives the mean over a batch."""
    return isinstance(value, nn.Module) and getattr(value, "reduction", None) == "mean"
