"""Mistakes that stand in the lines of the user's own loop and in no number: read from its source, once."""

import ast
import re
from collections.abc import Mapping
from typing import Any

from danlu.base.records import CodeLine
from danlu.watch.branches import arguments, taken
from danlu.watch.frames import is_theirs, lines_under_way, values_under_way
from danlu.watch.measured import Measured
from danlu.watch.probes.code_arithmetic import ratio_of_sums, square_of_difference, times_advantage
from danlu.watch.probes.code_distillation import one_sided, unscaled
from danlu.watch.probes.code_ends import ended_by_time_alone
from danlu.watch.probes.code_latents import divergence_from_normal
from danlu.watch.probes.code_metrics import counts_all_places
from danlu.watch.probes.code_noise import drawn_apart
from danlu.watch.probes.code_pairs import dealt_apart
from danlu.watch.probes.code_penalty import rewarded_weights
from danlu.watch.probes.code_scored import tests_on_training, updates_on_test
from danlu.watch.probes.code_sign import made_small
from danlu.watch.probes.code_statistics import normalised_by_all
from danlu.watch.probes.code_thresholds import chosen_on_test
from danlu.watch.probes.code_words import assignments, is_library, name_of, own_words, reached, words_behind
from danlu.watch.sources import Sources
from danlu.watch.walking import walk

_DISCOUNT = re.compile(r"(^|_)(gamma|discount)", re.IGNORECASE)
_REWARD = re.compile(r"^(r|rs|rews?|r_t|rb|br|b_r|r_batch)$|reward", re.IGNORECASE)
_END = re.compile(
    r"done|term|trunc|mask|final|finish|(^|_)ends?($|_)|cont|alive|^dn?s?$|^not_|dead|game_?over|live|^m$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"done|(?<!de)termin", re.IGNORECASE)  # an environment whose episodes end at all
_PADDED = re.compile(r"^(?!padding$)((.*_)?pads?(_.*)?|.*padding.*|.*padded.*|collate.*)$", re.IGNORECASE)
_LEAST_DISCOUNT = 0.8
_BEST_OF_NEXT = re.compile(r"^(max|amax|gather|minimum|min)$")
_VALUE_OF_NEXT = re.compile(r"value|critic|^next_?[qv]|^[qv]_?next|^target_?[qv]|^[qv]_?targ", re.IGNORECASE)


_Found = tuple[str, int | None]  # a kind of mistake, and its line


class CodeProbe:
    """Reads the functions that the lines of a training stand in."""

    writes = ("code", "code_read")

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._sources = Sources()
        self._read: set[CodeLine] = set()
        self._files: set[str] = set()

    def read(self) -> None:
        """Read what stands around the lines noted since the last call."""
        lines = self._measured.lines
        for what in ("backward", "loss", "forward", "evaluation"):
            line = lines.get(what)
            if line is None or line in self._read or not is_theirs(line.file):
                continue
            self._read.add(line)
            scopes = self._sources.around(line)
            if scopes:
                self._measured.code_read = True
                self._read_around(what, line, scopes)

    def _read_around(self, what: str, line: CodeLine, scopes: list[ast.AST]) -> None:
        known = values_under_way(line.file)
        values = {name: value for name, value in known.items() if not _END.search(name)}
        scope = taken(scopes[0], values)
        ends = any(_ENDS.search(word) for word in own_words(scopes[-1]))
        found: list[_Found] = [("terminal", _unmasked(scope) if ends else None), ("temperature", one_sided(scope))]
        if line.file not in self._files:
            self._files.add(line.file)
            found += self._read_whole(line.file, known, values, ends=ends)
        if what == "evaluation":
            found.append(("uneven", _mean_of_means(scope, line.line)))
        for kind, number in found:
            if number is not None:
                self._measured.code.setdefault(kind, CodeLine(line.file, number))

    def _read_whole(
        self, file: str, known: Mapping[str, Any], values: Mapping[str, Any], *, ends: bool
    ) -> list[_Found]:
        """What stands anywhere in the functions that are under way, or that these call."""
        tree = self._sources.tree(file)
        if tree is None:
            return []
        lines = [one for one in (*lines_under_way(), *self._measured.lines.values()) if one.file == file]
        starts = {getattr(self._sources.around(one)[0], "lineno", 0) for one in lines}
        given = {
            line: {name: value for name, value in known.items() if not _ENDS.search(name)}
            for line, known in arguments(tree, starts, values).items()
        }
        pruned = taken(tree, values, given)
        scope = reached(pruned, starts) if isinstance(pruned, ast.Module) else pruned
        chosen = chosen_on_test(scope, scope)
        kind = "threshold-test" if chosen is not None and chosen[1] else "threshold"
        return [
            ("terminal", _unmasked(scope) if ends else None),
            ("by-time", ended_by_time_alone(scope)),
            ("all-places", counts_all_places(scope)),
            ("temperature-square", unscaled(scope, scope, known)),
            ("joint", normalised_by_all(scope)),
            ("pairs", dealt_apart(scope)),
            ("sign", made_small(scope)),
            ("penalty", rewarded_weights(scope)),
            ("updates-on-test", updates_on_test(scope)),
            ("tests-on-training", tests_on_training(scope)),
            ("noise", drawn_apart(scope)),
            ("divergence", divergence_from_normal(scope)),
            ("bootstrap", _bootstrapped(scope)),
            ("padded", _named(scope, _PADDED)),
            ("squares", square_of_difference(scope)),
            ("overlap", ratio_of_sums(scope)),
            ("advantage", times_advantage(scope)),
            (kind, chosen[0] if chosen is not None else None),
        ]


def _named(scope: ast.AST, pattern: re.Pattern[str]) -> int | None:
    """The first line with a name or an attribute of that pattern; functions of torch's are none."""
    for node in walk(scope):
        word = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg | ast.keyword) else ""
        if isinstance(node, ast.Attribute) and not is_library(node):
            word = node.attr
        if word and pattern.match(word):
            return getattr(node, "lineno", None)
    return None


def _unmasked(scope: ast.AST) -> int | None:
    """The line of a target `reward + discount * value of the next state` that nothing switches off at an end."""
    made, switched = assignments(scope), _switched(scope)
    stops = _stops_at_ends(scope)
    for node in walk(scope):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
            continue
        sides = (node.left, node.right), (node.right, node.left)
        if not any(_is_reward(one) and _is_discounted(other, made, stops=stops) for one, other in sides):
            continue
        words = words_behind(node, made, options=False)
        ends = any(_END.search(word) for word in words) or words & switched or _has_complement(node)
        if not ends and not _is_chosen(scope, node):
            return node.lineno
    return None


def _bootstrapped(scope: ast.AST) -> int | None:
    """The line of a target `reward + discount * value of the next state`."""
    made = assignments(scope)
    for node in walk(scope):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = (node.left, node.right), (node.right, node.left)
            if any(_is_reward(one) and _is_discounted(other, made, stops=False) for one, other in sides):
                return node.lineno
    return None


def _switched(scope: ast.AST) -> set[str]:
    """Names that are given a value only where an episode has ended, or has not."""
    found: set[str] = set()
    for node in walk(scope):
        if isinstance(node, ast.If) and any(_END.search(word) for word in own_words(node.test)):
            found |= {name for one in (*node.body, *node.orelse) for name in assignments(one)}
    return found - {""}


def _stops_at_ends(scope: ast.AST) -> bool:
    """Whether what is gathered breaks off where an episode ends: what comes after it is no part of it then."""
    for node in walk(scope):
        if isinstance(node, ast.While) and any(_END.search(word) for word in own_words(node.test)):
            return True
        ends = isinstance(node, ast.If) and any(_END.search(word) for word in own_words(node.test))
        if ends and any(isinstance(one, ast.Break | ast.Return) for one in walk(node)):
            return True
    return False


def _is_reward(node: ast.AST) -> bool:
    return any(_REWARD.search(word) for word in own_words(node)) and not any(
        _DISCOUNT.search(word) for word in own_words(node)
    )


def _is_discounted(node: ast.AST, made: Mapping[str, list[ast.AST]], *, stops: bool) -> bool:
    """Whether it is a discount times the largest of what a net answers, or what it gives for a next action; or, where
    what is gathered does not break off at an end, times what is called a value."""
    products = [one for one in walk(node) if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult)]
    named = any(_DISCOUNT.search(word) for one in products for word in own_words(one))
    if not named and not any(_is_share(side) for one in products for side in (one.left, one.right)):
        return False
    if any(_BEST_OF_NEXT.search(word) for word in words_behind(node, made)):
        return True
    near = own_words(node) | {word for name in own_words(node) for one in made.get(name, ()) for word in own_words(one)}
    return not stops and any(_VALUE_OF_NEXT.search(word) for word in near)


def _has_complement(node: ast.AST) -> bool:
    """Whether a factor is 1 less something, as a mask of ends is written, whatever it is called."""
    factors = [side for one in walk(node) if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult)
               for side in (one.left, one.right)]  # fmt: skip
    return any(
        isinstance(one, ast.BinOp) and isinstance(one.op, ast.Sub) and isinstance(one.left, ast.Constant)
        and one.left.value == 1
        for one in factors
    )  # fmt: skip


def _is_share(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and _LEAST_DISCOUNT <= node.value < 1


def _is_chosen(scope: ast.AST, node: ast.AST) -> bool:
    """Whether the target stands in a choice between two, such as torch.where or an `if`."""
    for outer in walk(scope):
        if isinstance(outer, ast.IfExp | ast.If) or (isinstance(outer, ast.Call) and name_of(outer.func) == "where"):
            inside = any(one is node for one in walk(outer))
            test = outer.args[0] if isinstance(outer, ast.Call) and outer.args else getattr(outer, "test", outer)
            if inside and any(_END.search(word) for word in own_words(test)):
                return True
    return False


def _mean_of_means(scope: ast.AST, line: int) -> int | None:
    """The line that divides a sum of the batches' own means by the number of batches; `line` is in that loop."""
    loops = [one for one in walk(scope) if isinstance(one, ast.For) and one.lineno <= line <= (one.end_lineno or 0)]
    for loop in reversed(loops):
        summed = {
            name_of(one.target): one
            for one in walk(loop)
            if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Add) and _is_mean(one.value, loop)
        }
        listed = {
            name_of(one.func.value): one
            for one in walk(loop)
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "append"
            and one.args and _is_mean(one.args[0], loop)
        }  # fmt: skip
        over = name_of(loop.iter.args[0]) if isinstance(loop.iter, ast.Call) and loop.iter.args else name_of(loop.iter)
        for one in walk(scope):
            if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div):
                by = one.right
                count = isinstance(by, ast.Call) and name_of(by.func) == "len" and bool(by.args) and name_of(by.args[0])
                if count and (count == over or count in listed) and own_words(one.left) & {*summed, *listed}:
                    return one.lineno
            averages = isinstance(one, ast.Call) and name_of(one.func) in ("mean", "fmean") and bool(one.args)
            if averages and isinstance(one, ast.Call) and name_of(one.args[0]) in listed:
                return one.lineno
    return None


def _is_mean(node: ast.AST, loop: ast.For) -> bool:
    """Whether a value is a batch's mean, and not multiplied by its size."""
    if any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult) for one in walk(node)):
        return False
    words = words_behind(node, assignments(loop))
    if "sum" in words or "reduction" in words:
        return False
    return any(
        "loss" in word.lower() or "entropy" in word or "criterion" in word or "mean" in word or "acc" in word.lower()
        for word in words
    )
