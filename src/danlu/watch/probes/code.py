"""Mistakes that stand in the lines of the user's own loop and in no number: read from its source, once."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.base.records import CodeLine
from danlu.watch.branches import taken
from danlu.watch.frames import is_theirs, values_under_way
from danlu.watch.measured import Measured
from danlu.watch.sources import Sources

_DISCOUNT = re.compile(r"(^|_)(gamma|discount)", re.IGNORECASE)
_REWARD = re.compile(r"^(r|rs|rews?|r_t|rb|br|b_r|r_batch)$|reward", re.IGNORECASE)
_END = re.compile(
    r"done|term|trunc|mask|final|finish|(^|_)ends?($|_)|cont|alive|^dn?s?$|^not_|dead|game_?over|live|^m$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"done|terminat|dones", re.IGNORECASE)  # an environment whose episodes end at all
_TEMPERATURE = re.compile(r"^(T|t|tau|temp|temperature)$|temp", re.IGNORECASE)
_LEAST_DISCOUNT = 0.8
_PAIRS = ("max", "min", "sort", "topk")  # methods that give values and places
_DEPTH = 6  # assignments that a value is followed through


class CodeProbe:
    """Reads the functions that the lines of a training stand in."""

    writes = ("code", "code_read")

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._sources = Sources()
        self._read: set[CodeLine] = set()

    def read(self) -> None:
        """Read what stands around the lines noted since the last call."""
        lines = self._measured.lines
        for what in ("backward", "loss", "forward", "evaluation"):
            line = lines.get(what)
            if line is None or line in self._read or not is_theirs(line.file):
                continue
            self._read.add(line)
            known = values_under_way(line.file)
            values = {name: value for name, value in known.items() if not _END.search(name)}
            scopes = self._sources.around(line)
            if not scopes:
                continue
            self._measured.code_read = True
            scope = taken(scopes[0], values)
            ends = any(_ENDS.search(word) for word in _own_words(scopes[-1]))
            found = [("terminal", _unmasked(scope) if ends else None), ("temperature", _one_sided(scope))]
            if what == "evaluation":
                found.append(("uneven", _mean_of_means(scope, line.line)))
            for kind, number in found:
                if number is not None:
                    self._measured.code.setdefault(kind, CodeLine(line.file, number))


def _unmasked(scope: ast.AST) -> int | None:
    """The line of a target `reward + discount * value of the next state` that nothing switches off at an end."""
    made = _assignments(scope)
    for node in ast.walk(scope):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
            continue
        sides = (node.left, node.right), (node.right, node.left)
        if not any(_is_reward(one) and _is_discounted(other, made) for one, other in sides):
            continue
        words = _words_behind(node, made, options=False)
        if not any(_END.search(word) for word in words) and not _is_chosen(scope, node):
            return node.lineno
    return None


def _is_reward(node: ast.AST) -> bool:
    return any(_REWARD.search(word) for word in _own_words(node)) and not any(
        _DISCOUNT.search(word) for word in _own_words(node)
    )


def _is_discounted(node: ast.AST, made: Mapping[str, list[ast.AST]]) -> bool:
    """Whether it is a discount times the largest of what a net answers, or what it gives for a next action."""
    products = [one for one in ast.walk(node) if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult)]
    named = any(_DISCOUNT.search(word) for one in products for word in _own_words(one))
    if not named and not any(_is_share(side) for one in products for side in (one.left, one.right)):
        return False
    return any(word in ("max", "amax", "gather", "minimum", "min") for word in _words_behind(node, made))


def _is_share(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and _LEAST_DISCOUNT <= node.value < 1


def _is_chosen(scope: ast.AST, node: ast.AST) -> bool:
    """Whether the target stands in a choice between two, such as torch.where or an `if`."""
    for outer in ast.walk(scope):
        if isinstance(outer, ast.IfExp | ast.If) or (isinstance(outer, ast.Call) and _name(outer.func) == "where"):
            inside = any(one is node for one in ast.walk(outer))
            test = outer.args[0] if isinstance(outer, ast.Call) and outer.args else getattr(outer, "test", outer)
            if inside and any(_END.search(word) for word in _own_words(test)):
                return True
    return False


def _one_sided(scope: ast.AST) -> int | None:
    """The line of a divergence of which one side is softened by a temperature and the other is not."""
    made = _assignments(scope)
    for node in ast.walk(scope):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        name = _name(node.func)
        if "kl" not in name.lower() and not any("KLDiv" in word for word in _words_behind(node.func, made)):
            continue
        softened = [_softened(one, made) for one in node.args[:2]]
        if None not in softened and softened[0] != softened[1]:
            return node.lineno
    return None


def _softened(node: ast.AST, made: Mapping[str, list[ast.AST]], depth: int = 0) -> bool | None:
    """Whether the softmax that makes a value divides by a temperature; None where no softmax is to be seen."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and "softmax" in _name(one.func):
            given = one.func.value if isinstance(one.func, ast.Attribute) and not _is_library(one.func) else None
            inside = one.args[0] if given is None and one.args else given
            return None if inside is None else _is_divided(inside, made, depth)
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and depth < _DEPTH:
            for value in made.get(one.id, ()):
                found = _softened(value, made, depth + 1)
                if found is not None:
                    return found
    return None


def _is_divided(node: ast.AST, made: Mapping[str, list[ast.AST]], depth: int) -> bool:
    for one in ast.walk(node):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div | ast.Mult):
            if any(_TEMPERATURE.search(word) for word in _own_words(one.right)):
                return True
            if isinstance(one.op, ast.Div) and isinstance(one.right, ast.Constant):
                return True
        values = made.get(one.id, ()) if isinstance(one, ast.Name) and depth < _DEPTH else ()
        if any(_is_divided(value, made, depth + 1) for value in values):
            return True
    return False


def _mean_of_means(scope: ast.AST, line: int) -> int | None:
    """The line that divides a sum of the batches' own means by the number of batches; `line` is in that loop."""
    loops = [one for one in ast.walk(scope) if isinstance(one, ast.For) and one.lineno <= line <= (one.end_lineno or 0)]
    for loop in reversed(loops):
        summed = {
            _name(one.target): one
            for one in ast.walk(loop)
            if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Add) and _is_mean(one.value, loop)
        }
        listed = {
            _name(one.func.value): one
            for one in ast.walk(loop)
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "append"
            and one.args and _is_mean(one.args[0], loop)
        }  # fmt: skip
        over = _name(loop.iter.args[0]) if isinstance(loop.iter, ast.Call) and loop.iter.args else _name(loop.iter)
        for one in ast.walk(scope):
            if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div):
                by = one.right
                count = isinstance(by, ast.Call) and _name(by.func) == "len" and bool(by.args) and _name(by.args[0])
                if count and (count == over or count in listed) and _own_words(one.left) & {*summed, *listed}:
                    return one.lineno
            averages = isinstance(one, ast.Call) and _name(one.func) in ("mean", "fmean") and bool(one.args)
            if averages and isinstance(one, ast.Call) and _name(one.args[0]) in listed:
                return one.lineno
    return None


def _is_mean(node: ast.AST, loop: ast.For) -> bool:
    """Whether a value is a batch's mean, and not multiplied by its size."""
    if any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult) for one in ast.walk(node)):
        return False
    words = _words_behind(node, _assignments(loop))
    if "sum" in words or "reduction" in words:
        return False
    return any(
        "loss" in word.lower() or "entropy" in word or "criterion" in word or "mean" in word or "acc" in word.lower()
        for word in words
    )


def _assignments(scope: ast.AST) -> dict[str, list[ast.AST]]:
    """By name, what is assigned to it or to a part of it, the part itself included."""
    made: dict[str, list[ast.AST]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                each = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                for one in each:
                    values = [node.value]
                    if len(each) > 1 and isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(each):
                        values = [node.value.elts[each.index(one)]]
                    elif len(each) > 1:  # the largest, and where it stands
                        values = [node.value] if _name(node.value) in _PAIRS and one is each[0] else []
                    if isinstance(one, ast.Subscript):
                        values = [*values, one.slice]
                    made.setdefault(_name(one), []).extend(values)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign) and node.value is not None:
            made.setdefault(_name(node.target), []).append(node.value)
    return made


def _words_behind(node: ast.AST, made: Mapping[str, list[ast.AST]], *, options: bool = True) -> set[str]:
    """The names and attributes in an expression, and in what the names in it were made of; without `options` not the
    names of keyword arguments, which may be settings of the memory that a batch was drawn from."""
    seen: set[str] = set()
    waiting = [node]
    for _ in range(4 * _DEPTH):
        if not waiting:
            break
        for word in _each_word(waiting.pop(), options=options):
            if word not in seen:
                seen.add(word)
                waiting.extend(made.get(word, ()))
    return seen


def _own_words(node: ast.AST) -> set[str]:
    return set(_each_word(node))


def _each_word(node: ast.AST, *, options: bool = True) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif (isinstance(one, ast.arg) or (options and isinstance(one, ast.keyword))) and one.arg:
            yield one.arg


def _is_library(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name | ast.Attribute) and _name(node.value) in ("F", "torch", "functional", "nn")


def _name(node: ast.AST) -> str:
    """The last part of a dotted name, of a call or a subscript that of what is called or subscripted."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        return _name(node.func)
    found = getattr(node, "attr", None) or getattr(node, "id", "")
    return found if isinstance(found, str) else ""
