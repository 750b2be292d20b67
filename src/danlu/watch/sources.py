"""Where in the user's source a class stands, or where an object was made before anybody watched."""

import ast
import inspect
import itertools
import linecache
import re
from collections.abc import Iterable, Iterator
from typing import Any

from danlu.base.records import CodeLine
from danlu.watch.branches import taken
from danlu.watch.frames import is_cell, is_theirs, values_under_way
from danlu.watch.walking import statements, walk

_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Made = tuple[ast.Call, frozenset[str]]  # a call, and the names that its result is bound to


def class_line(kind: type) -> CodeLine | None:
    """The line of the user's that begins `class kind`; None for a class of a library, or one whose source is gone."""
    own = (inspect.unwrap(value) for value in vars(kind).values() if callable(value))
    code = next((one.__code__ for one in own if getattr(one, "__qualname__", "").startswith(f"{kind.__qualname__}.")
                 and hasattr(one, "__code__") and is_theirs(one.__code__.co_filename)), None)  # fmt: skip
    if code is not None:
        begins = re.compile(rf"\s*class\s+{re.escape(kind.__name__)}\b")
        lines = linecache.getlines(code.co_filename)[: code.co_firstlineno]
        above = (number for number in range(len(lines), 0, -1) if begins.match(lines[number - 1]))
        return CodeLine(code.co_filename, next(above, code.co_firstlineno))
    try:
        file, (lines, number) = inspect.getfile(kind), inspect.getsourcelines(kind)
    except (OSError, TypeError):
        return None
    decorators = itertools.takewhile(lambda line: not re.match(r"\s*class\b", line), lines)
    return CodeLine(file, number + len(list(decorators))) if is_theirs(file) else None


class Sources:
    """The user's files, each parsed once."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.Module | None] = {}
        self._scopes: dict[str, list[_Scope]] = {}

    def made(self, kind: str, used: CodeLine, others: Iterable[CodeLine]) -> CodeLine | None:
        """The line where the object of the class `kind` was made that the line `used` works with; `others` are lines
        under way to that one. The functions in which these lines stand are looked through first, then whole files. None
        where no call of that name is to be seen, or it could be any of several."""
        words = set(re.findall(r"\w+", linecache.getline(used.file, used.line)))
        places = [used, *others]
        files = [place.file for place in places]
        if is_cell(used.file):
            files += [file for file in reversed(list(linecache.cache)) if is_cell(file)]
        trees = {file: tree for file in dict.fromkeys(files) if (tree := self.tree(file)) is not None}
        functions = [(place.file, scope) for place in places if place.file in trees
                     for scope in self._around(place)]  # fmt: skip
        for file, scope in [*functions, *trees.items()]:
            found = list(_calls(scope, kind))
            if len(found) > 1:  # a branch that is not taken made nothing
                found = list(_calls(taken(scope, values_under_way(file)), kind)) or found
            named = [one for one in found if one[1] & words]
            if found:
                one = found if len(found) == 1 else named
                return CodeLine(file, one[0][0].lineno) if len(one) == 1 else None
        return None

    def part(self, kind: type, name: str) -> CodeLine | None:
        """The line of the user's in which a class, or one that it comes from, makes its attribute `name`; None where
        there is none, or several."""
        for one in kind.__mro__:
            begin = class_line(one)
            scopes = self.around(begin) if begin is not None else []
            made = _assigned(scopes[0], name) if scopes else []
            if begin is not None and made:
                return CodeLine(begin.file, made[0].lineno) if len(made) == 1 else None
        return None

    def calling(self, kind: type, name: str) -> CodeLine | None:
        """The line of the user's in which a class, or one that it comes from, calls its attribute `name`; None where
        there is none, or several."""
        for one in kind.__mro__:
            begin = class_line(one)
            scopes = self.around(begin) if begin is not None else []
            lines = {call.lineno for call, _ in _calls(scopes[0], name) if _is_own(call)} if scopes else set[int]()
            if begin is not None and lines:
                return CodeLine(begin.file, lines.pop()) if len(lines) == 1 else None
        return None

    def layer(self, kind: type, made: str) -> CodeLine | None:
        """The line of the user's in which a class makes a layer of the class `made`; None where there is none, or
        several."""
        begin = class_line(kind)
        scopes = self.around(begin) if begin is not None else []
        lines = {call.lineno for call, _ in _calls(scopes[0], made)} if scopes else set[int]()
        return CodeLine(begin.file, lines.pop()) if begin is not None and len(lines) == 1 else None

    def around(self, line: CodeLine) -> list[ast.AST]:
        """The functions and classes that a line stands in, the innermost first, and the whole file; nothing where that
        cannot be parsed."""
        tree = self.tree(line.file)
        return [*self._around(line), tree] if tree is not None else []

    def text(self, file: str) -> str:
        """The file as it is written; empty where there is none, as of code that was handed to exec()."""
        return "".join(linecache.getlines(file))

    def tree(self, file: str) -> ast.Module | None:
        """The file, parsed; None where it cannot be."""
        if file not in self._trees:
            text = self.text(file)
            try:
                self._trees[file] = ast.parse(text) if text else None
            except (SyntaxError, ValueError, RecursionError):
                self._trees[file] = None
        return self._trees[file]

    def _around(self, line: CodeLine) -> list[_Scope]:
        """The functions and classes that a line stands in, the innermost first."""
        if line.file not in self._scopes:
            self._scopes[line.file] = [
                node
                for node in statements(self.tree(line.file) or ast.Module([], []))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            ]
        scopes = self._scopes[line.file]
        return [one for one in reversed(scopes) if one.lineno <= line.line <= (one.end_lineno or one.lineno)]


def _calls(node: ast.AST, kind: str, names: frozenset[str] = frozenset()) -> Iterator[_Made]:
    """The calls of `kind`, or of something.kind, under a node, but for those inside another one."""
    if isinstance(node, ast.Call) and _last(node.func) == kind:
        yield node, names
        return
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
        each = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
        names = frozenset(name for one in each if (name := _last(one)))
    elif isinstance(node, ast.keyword) and node.arg:
        names = frozenset([node.arg])
    elif isinstance(node, ast.stmt):
        names = frozenset()
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, kind, names)


def _is_own(call: ast.Call) -> bool:
    """Whether it is a call of self.something."""
    return isinstance(call.func, ast.Attribute) and _last(call.func.value) == "self"


def _assigned(scope: ast.AST, name: str) -> list[ast.stmt]:
    """The statements that give `self` an attribute."""
    found: list[ast.stmt] = []
    for node in walk(scope):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        each = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
        if isinstance(node, ast.stmt) and any(
            isinstance(one, ast.Attribute) and one.attr == name and _last(one.value) == "self" for one in each
        ):
            found.append(node)
    return found


def _last(node: ast.AST) -> str:
    """The last part of a dotted name."""
    found: Any = getattr(node, "attr", None) or getattr(node, "id", "")
    return found if isinstance(found, str) else ""
