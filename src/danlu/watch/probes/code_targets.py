"""A target network in the source: whether anything brings it up to date while it is trained against."""

import ast
import re
from collections.abc import Iterator

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of, own_words
from danlu.watch.walking import walk

_TARGET = re.compile(r"target|tgt|slow|frozen|(^|_)old|lagg|polyak|ema", re.IGNORECASE)
_RENEWS = re.compile(r"load|copy_|lerp|sync|soft|hard|polyak|update|average|mul_|add_|set_", re.IGNORECASE)
_PARAMETERS = {"parameters", "named_parameters", "buffers", "named_buffers", "state_dict"}
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def may_renew(text: SourceText) -> bool:
    """Whether there is a target network at all."""
    return text.matches(_TARGET)


def renewed(scope: ast.AST) -> int | None:
    """The line that brings a target network up to date in the course of a training; what is copied before that, as in
    `__init__` or ahead of the loop, is none.

    >>> renewed(ast.parse("target.load_state_dict(q.state_dict())\\nfor x in data:\\n    loss.backward()")) is None
    True
    >>> renewed(ast.parse("for x in data:\\n    loss.backward()\\n    target.load_state_dict(q.state_dict())"))
    3
    """
    for node in _in_the_course(scope):
        if isinstance(node, ast.Call):
            renews = bool(_RENEWS.search(name_of(node.func)))
        else:
            renews = isinstance(node, ast.Assign | ast.AugAssign)
        if renews and any(_TARGET.search(word) for word in _moved(node)):
            return getattr(node, "lineno", None)
    return None


def _moved(node: ast.AST) -> set[str]:
    """The words of what a call is made with, or of the part of something that is given a value."""
    if isinstance(node, ast.Call):
        return own_words(node)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    parts = [
        one
        for one in targets
        if isinstance(one, ast.Subscript) or (isinstance(one, ast.Attribute) and one.attr == "data")
    ]
    return {word for one in parts for word in own_words(one)}


def _in_the_course(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a loop, or in a function that goes through nothing but parameters."""
    for node in walk(scope):
        function = isinstance(node, _FUNCTION) and node.name != "__init__" and not _loops(node)
        if function or isinstance(node, ast.For | ast.While):
            yield from walk(node)


def _loops(function: ast.AST) -> bool:
    """Whether a function goes through more than the parameters of nets."""
    loops = [one for one in walk(function) if isinstance(one, ast.For | ast.While)]
    return any(isinstance(one, ast.While) or not own_words(one.iter) & _PARAMETERS for one in loops)
