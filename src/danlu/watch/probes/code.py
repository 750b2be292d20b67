"""Mistakes that stand in the lines of the user's own loop and in no number: read from its source, once."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from danlu.base.records import CodeLine
from danlu.watch.branches import arguments, taken
from danlu.watch.frames import is_theirs, lines_under_way, values_under_way
from danlu.watch.measured import Measured
from danlu.watch.probes.code_actors import entropy_term, flees_values, may_act, may_weigh_entropy
from danlu.watch.probes.code_arithmetic import WEIGHED, ratio_of_sums, square_of_difference, times_advantage
from danlu.watch.probes.code_distillation import may_distil, one_sided, unscaled
from danlu.watch.probes.code_ends import ended_by_time_alone, may_end
from danlu.watch.probes.code_kept import kept_by_place, may_keep
from danlu.watch.probes.code_latents import divergence_from_normal, may_diverge, rewarded_divergence
from danlu.watch.probes.code_means import mean_of_means
from danlu.watch.probes.code_metrics import counts_all_places, may_count
from danlu.watch.probes.code_neighbours import finds_itself, may_seek
from danlu.watch.probes.code_noise import drawn_apart, may_draw
from danlu.watch.probes.code_pairs import dealt_apart, may_deal, sorted_apart, views_apart
from danlu.watch.probes.code_penalty import may_reward, rewarded_weights
from danlu.watch.probes.code_rollouts import may_roll_out, running_sum, stored_late, summed_from_the_start
from danlu.watch.probes.code_schedules import may_wait, waiting_scheduler
from danlu.watch.probes.code_scored import may_test, may_update, tests_on_training, updates_on_test
from danlu.watch.probes.code_sign import made_small, may_score
from danlu.watch.probes.code_statistics import may_normalise, normalised_by_all, normalised_by_itself, scaled_by_itself
from danlu.watch.probes.code_targets import may_renew, renewed
from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_thresholds import chosen_on_test
from danlu.watch.probes.code_words import REWARD, assignments, is_library, name_of, own_words, reached, words_behind
from danlu.watch.sources import Sources
from danlu.watch.walking import walk

_DISCOUNT = re.compile(r"(^|_)(gamma|discount)", re.IGNORECASE)
_END = re.compile(
    r"done|term|trunc|mask|final|finish|(^|_)ends?($|_)|cont|alive|^dn?s?$|^not_|dead|game_?over|live|^m$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"done|(?<!de)termin", re.IGNORECASE)  # an environment whose episodes end at all
_PADDED = re.compile(r"^(?!padding$)((.*_)?pads?(_.*)?|.*padding.*|.*padded.*|collate.*)$", re.IGNORECASE)
_LEAST_DISCOUNT = 0.8
_BEST_OF_NEXT = re.compile(r"^(max|amax|gather|minimum|min|(z_)?atoms|support)$")  # or what a distribution stands on
_VALUE_OF_NEXT = re.compile(r"value|critic|^next_?[qv]|^[qv]_?next|^target_?[qv]|^[qv]_?targ", re.IGNORECASE)


_Found = tuple[str, int | None]  # a kind of mistake, and its line
_Reading = Callable[[ast.AST, Mapping[str, Any]], int | None]

# The mistakes looked for in all that runs of a file; each with what tells from its words whether it can stand there.
_WHOLE: Mapping[str, tuple[Callable[[SourceText], bool], _Reading]] = {
    "by-time": (may_end, lambda scope, known: ended_by_time_alone(scope)),
    "all-places": (may_count, lambda scope, known: counts_all_places(scope)),
    "temperature-square": (may_distil, lambda scope, known: unscaled(scope, scope, known)),
    "joint": (may_normalise, lambda scope, known: normalised_by_all(scope)),
    "own": (may_normalise, lambda scope, known: normalised_by_itself(scope)),
    "itself": (may_normalise, lambda scope, known: scaled_by_itself(scope)),
    "pairs": (may_deal, lambda scope, known: dealt_apart(scope) or sorted_apart(scope)),
    "by-place": (may_keep, kept_by_place),
    "views": (may_deal, lambda scope, known: views_apart(scope)),
    "nearest": (may_seek, lambda scope, known: finds_itself(scope)),
    "sign": (may_score, lambda scope, known: made_small(scope)),
    "penalty": (may_reward, lambda scope, known: rewarded_weights(scope)),
    "updates-on-test": (may_update, lambda scope, known: updates_on_test(scope)),
    "tests-on-training": (may_test, lambda scope, known: tests_on_training(scope)),
    "renewed": (may_renew, lambda scope, known: renewed(scope)),
    "noise": (may_draw, lambda scope, known: drawn_apart(scope)),
    "divergence": (may_diverge, lambda scope, known: divergence_from_normal(scope)),
    "turned": (may_diverge, lambda scope, known: rewarded_divergence(scope)),
    "bootstrap": (lambda text: text.matches(REWARD), lambda scope, known: _bootstrapped(scope)),
    "padded": (lambda text: text.matches(_PADDED), lambda scope, known: _named(scope, _PADDED)),
    "squares": (
        lambda text: text.has_powers or text.has({"pow", "square"}),
        lambda scope, known: square_of_difference(scope),
    ),
    "overlap": (lambda text: text.has({"sum"}), lambda scope, known: ratio_of_sums(scope)),
    "from-start": (may_roll_out, lambda scope, known: summed_from_the_start(scope)),
    "running": (may_roll_out, lambda scope, known: running_sum(scope)),
    "late": (may_roll_out, lambda scope, known: stored_late(scope)),
    "flees": (may_act, lambda scope, known: flees_values(scope)),
    "entropy": (may_weigh_entropy, lambda scope, known: entropy_term(scope)),
    "advantage": (lambda text: text.matches(WEIGHED), lambda scope, known: times_advantage(scope)),
}


class CodeProbe:
    """Reads the functions that the lines of a training stand in; a file is parsed only where its words say that one of
    the mistakes can stand in it."""

    writes = ("code", "code_read")

    def __init__(self, measured: Measured, sources: Sources) -> None:
        self._measured = measured
        self._sources = sources
        self._read: set[CodeLine] = set()
        self._files: dict[str, set[str]] = {}  # those that were read whole, with the mistakes that can stand in them

    def read(self) -> None:
        """Read what stands around the lines noted since the last call."""
        lines = self._measured.lines
        for what in ("backward", "loss", "forward", "evaluation"):
            line = lines.get(what)
            if line is None or line in self._read or not is_theirs(line.file):
                continue
            self._read.add(line)
            text = self._sources.text(line.file)
            if not text:
                continue
            fresh = line.file not in self._files
            if fresh:
                self._files[line.file] = _possible(SourceText(text))
            possible = self._files[line.file]
            if what != "evaluation" and not (possible if fresh else possible & {"terminal", "temperature"}):
                self._measured.code_read = True
                continue
            scopes = self._sources.around(line)
            if scopes:
                self._measured.code_read = True
                self._read_around(what, line, scopes, fresh=fresh)

    def waits_to_schedule(self) -> bool:
        """Whether a scheduler is called where the training has not come to; asked once, of one that never was."""
        texts = {file: self._sources.text(file) for file in self._files}
        trees = [self._sources.tree(file) for file, text in texts.items() if may_wait(SourceText(text))]
        return any(tree is not None and waiting_scheduler(tree) is not None for tree in trees)

    def _read_around(self, what: str, line: CodeLine, scopes: list[ast.AST], *, fresh: bool) -> None:
        known = values_under_way(line.file)
        values = {name: value for name, value in known.items() if not _END.search(name)}
        possible = self._files[line.file]
        ends = "terminal" in possible and any(_ENDS.search(word) for word in own_words(scopes[-1]))
        found: list[_Found] = []
        if ends or "temperature" in possible or what == "evaluation":
            scope = taken(scopes[0], values, around=scopes)
            found += [("terminal", _unmasked(scope) if ends else None), ("temperature", one_sided(scope))]
            if what == "evaluation":
                means = mean_of_means(scope, line.line, taken(scopes[-1], values), known)
                found.append(("curved" if means and means[1] else "uneven", means[0] if means else None))
        if fresh:
            found += self._read_whole(line.file, known, values, ends=ends)
        for kind, number in found:
            if number is not None:
                self._measured.code.setdefault(kind, CodeLine(line.file, number))

    def _read_whole(
        self, file: str, known: Mapping[str, Any], values: Mapping[str, Any], *, ends: bool
    ) -> list[_Found]:
        """What stands anywhere in the functions that are under way, or that these call."""
        tree, possible = self._sources.tree(file), self._files[file]
        if tree is None or not (ends or possible & {*_WHOLE, "threshold"}):
            return []
        lines = [one for one in (*lines_under_way(), *self._measured.lines.values()) if one.file == file]
        starts = {getattr(self._sources.around(one)[0], "lineno", 0) for one in lines}
        given = {
            line: {name: value for name, value in known.items() if not _ENDS.search(name)}
            for line, known in arguments(tree, starts, values).items()
        }
        pruned = taken(tree, values, given)
        scope = reached(pruned, starts) if isinstance(pruned, ast.Module) else pruned
        found: list[_Found] = [("terminal", _unmasked(scope) if ends else None)]
        found += [(kind, reading(scope, known)) for kind, (_, reading) in _WHOLE.items() if kind in possible]
        chosen = chosen_on_test(scope, scope) if "threshold" in possible else None
        if chosen is not None:
            found.append(("threshold-test" if chosen[1] else "threshold", chosen[0]))
        return found


def _possible(text: SourceText) -> set[str]:
    """The mistakes that can stand in a file of these words."""
    found = {kind for kind, (may, _) in _WHOLE.items() if may(text)}
    if text.matches(REWARD) and text.matches(_ENDS):
        found.add("terminal")
    if may_distil(text):
        found.add("temperature")
    if text.compares:
        found.add("threshold")
    return found


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
    for node in _targets(scope, made, stops=_stops_at_ends(scope)):
        words = words_behind(node, made, options=False)
        ends = any(_END.search(word) for word in words) or words & switched or _has_complement(node)
        if not ends and not _is_chosen(scope, node):
            return node.lineno
    return None


def _bootstrapped(scope: ast.AST) -> int | None:
    """The line of a target `reward + discount * value of the next state`; of several rather one without a mask."""
    found = list(_targets(scope, assignments(scope), stops=False))
    bare = (one.lineno for one in found if not any(_END.search(word) for word in own_words(one)))
    return next(bare, found[0].lineno if found else None)


def _targets(scope: ast.AST, made: Mapping[str, list[ast.AST]], *, stops: bool) -> Iterator[ast.BinOp]:
    """The sums of a reward and a discounted value of the next state."""
    for node in walk(scope):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = (node.left, node.right), (node.right, node.left)
            if any(_is_reward(one) and _is_discounted(other, made, stops=stops) for one, other in sides):
                yield node


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
    return any(REWARD.search(word) for word in own_words(node)) and not any(
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
