"""What an environment says of an end, in the source: whether only the limit of time is taken for one."""

import ast
import re

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import walk

_OVER = re.compile(r"^(dones?|d|ends?|ended|finished|over|mask)$", re.IGNORECASE)
_ANSWERS = (4, 5)  # of step(): observation, reward, terminated, truncated, and mostly what else there is to know


def may_end(text: SourceText) -> bool:
    """Whether there can be an environment whose episodes end."""
    return text.has({"step"}) and text.matches(_OVER)


def ended_by_time_alone(scope: ast.AST) -> int | None:
    """The line that takes `truncated` for the end of an episode, where `terminated` decides nothing but when to begin
    anew.

    >>> source = "o, r, term, trunc, _ = env.step(a)\\ndone = {}\\nif term or trunc:\\n    env.reset()"
    >>> ended_by_time_alone(ast.parse(source.format("trunc")))
    2
    >>> ended_by_time_alone(ast.parse(source.format("term or trunc"))) is None
    True
    """
    # An environment that stands in the same file knows these words too.
    inside = [one for one in walk(scope) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    body = scope.body if isinstance(scope, ast.Module) else []
    loose = ast.Module([one for one in body if not isinstance(one, ast.FunctionDef | ast.ClassDef)], [])
    for home in [*inside, loose]:
        line = _by_time_alone(home)
        if line is not None:
            return line
    return None


def _by_time_alone(scope: ast.AST) -> int | None:
    for node in walk(scope):
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and name_of(node.value) == "step"):
            continue
        names = [name_of(one) for one in node.targets[0].elts] if isinstance(node.targets[0], ast.Tuple) else []
        if len(names) not in _ANSWERS or not names[2] or "_" in (names[2], names[3]) or _is_used(scope, names[2]):
            continue
        for one in walk(scope):
            if not (isinstance(one, ast.Assign) and isinstance(one.value, ast.Name) and one.value.id == names[3]):
                continue
            if any(_OVER.match(name_of(target)) for target in one.targets):
                return one.lineno
    return None


def _is_used(scope: ast.AST, name: str) -> bool:
    """Whether a value goes anywhere but into a test."""
    tests = {
        id(part) for one in walk(scope) if isinstance(one, ast.If | ast.While | ast.IfExp) for part in walk(one.test)
    }
    return any(
        isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load) and id(one) not in tests
        for one in walk(scope)
    )
