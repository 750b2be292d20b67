"""Schedulers in the source: whether one is called in a branch that the training has not come to yet."""

import ast
import re

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import walk

_SCHEDULERS = re.compile(r"sched|warm_?up|annealer|^decay", re.IGNORECASE)


def may_wait(text: SourceText) -> bool:
    """Whether there can be a scheduler."""
    return text.has({"step"}) and text.matches(_SCHEDULERS)


def waiting_scheduler(scope: ast.AST) -> int | None:
    """The line that steps a scheduler where some number is large enough, which may come true only later.

    >>> waiting_scheduler(ast.parse("for epoch in range(9):\\n if epoch > 4:\\n  self.scheduler.step()"))
    3
    >>> waiting_scheduler(ast.parse("for epoch in range(9):\\n scheduler.step()")) is None
    True
    """
    choices = (one for one in walk(scope) if isinstance(one, ast.If) and _counts(one.test))
    parts = (part for one in choices for branch in (*one.body, *one.orelse) for part in walk(branch))
    return next((one.lineno for one in parts if isinstance(one, ast.Call) and _steps_a_scheduler(one.func)), None)


def _steps_a_scheduler(function: ast.AST) -> bool:
    if not isinstance(function, ast.Attribute) or function.attr != "step":
        return False
    return bool(_SCHEDULERS.search(name_of(function.value)))


def _counts(test: ast.AST) -> bool:
    """Whether a condition compares by size, or takes one of so many."""
    parts = walk(test)
    return any(isinstance(one, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Mod) for one in parts)
