"""Which line of a piece of source made what a net is called with, where no loader gives it."""

import ast
import re
from collections.abc import Iterator, Sequence

from danlu.base.records import CodeLine
from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import walk

# What gives the same numbers in another form, or a part of them.
_FORMS = {
    "view", "reshape", "flatten", "squeeze", "unsqueeze", "float", "double", "long", "to", "cuda", "cpu", "contiguous",
    "permute", "transpose", "t", "clone", "detach", "requires_grad_", "split", "chunk",
}  # fmt: skip
_COUNTED = ("enumerate", "zip", "tqdm", "range")
_COUNTS = re.compile(r"size|batch|num|shuffle|epoch|^(n|k|bs)$", re.IGNORECASE)
_STEPS = 8  # names that are followed


def gives_batch(scopes: Sequence[ast.AST], line: CodeLine) -> int | None:
    """The line that takes a batch out of what is trained on, for the call of a net in `line`.

    >>> source = "for k in range(n):\\n b = x[k * 32 : k * 32 + 32]\\n loss = f(net(b), y)"
    >>> gives_batch([ast.parse(source)], CodeLine("train.py", 3))
    2
    """
    return next((number for number, _ in _made_of(scopes, _given(scopes, line.line), line.line)), None)


def makes_inputs(scopes: Sequence[ast.AST], line: CodeLine) -> int | None:
    """The line that last computed the numbers which a net is called with in `line`, or read them.

    >>> source = "x = load()\\nx = x / 255\\nfor i in order:\\n b = x[i]\\n loss = f(net(b.view(-1, 784)), y[i])"
    >>> makes_inputs([ast.parse(source)], CodeLine("train.py", 5))
    2
    """
    return _last(_made_of(scopes, _given(scopes, line.line), line.line))[0]


def makes_inputs_outside(frames: Sequence[tuple[Sequence[ast.AST], CodeLine]]) -> CodeLine | None:
    """The same where functions hand the data on: `frames` are the scopes of each line under way, and that line, the
    innermost, which calls the net, first."""
    value, found = _given(*_first(frames)), None
    for (scopes, line), (_, caller) in zip(frames, [*frames[1:], (None, None)], strict=True):
        number, name = _last(_made_of(scopes, value, line.line))
        found = CodeLine(line.file, number) if number is not None else found
        value = _handed(scopes[0], name, frames, caller) if name and caller is not None else None
        if value is None:
            break
    return found


def _first(frames: Sequence[tuple[Sequence[ast.AST], CodeLine]]) -> tuple[Sequence[ast.AST], int]:
    return (frames[0][0], frames[0][1].line) if frames else ((), 0)


def _last(made: Iterator[tuple[int | None, str]]) -> tuple[int | None, str]:
    """The last line of these, and the argument of the function that it all comes from, if it does."""
    number, name = None, ""
    for one, name in made:  # noqa: B007 - the last one's
        number = one if one is not None else number
    return number, name


def _handed(
    function: ast.AST, name: str, frames: Sequence[tuple[Sequence[ast.AST], CodeLine]], caller: CodeLine
) -> ast.AST | None:
    """What the line `caller` gives to the argument `name` of a function that it calls."""
    scopes = next((scopes for scopes, line in frames if line is caller), ())
    if not isinstance(function, ast.FunctionDef) or not scopes:
        return None
    calls = [
        one for one in walk(scopes[-1])
        if isinstance(one, ast.Call) and one.lineno <= caller.line <= (one.end_lineno or one.lineno)
        and name_of(one.func) == function.name
    ]  # fmt: skip
    if len(calls) != 1:
        return None
    names = [one.arg for one in function.args.args if one.arg != "self"]
    given = {one.arg: one.value for one in calls[0].keywords}
    return given.get(name) or dict(zip(names, calls[0].args, strict=False)).get(name)


def _made_of(scopes: Sequence[ast.AST], value: ast.AST | None, before: int) -> Iterator[tuple[int | None, str]]:
    """The lines that made a value, the nearest first, through all that keeps the numbers; each with the argument of
    the function that it came from, where that is as far as it goes."""
    if value is not None and not _is_form(value):
        yield before, ""
        return
    for _ in range(_STEPS):
        name = _base(value) if value is not None else ""
        if name and scopes and _is_argument(scopes[0], name) and _last_made(scopes[:1], name, before) is None:
            yield None, name
            return
        made = _last_made(scopes, name, before) if name else None
        if made is None:
            return
        yield made.lineno, ""
        value, before = _value(made, name), made.lineno
        if value is None or not (_is_form(value) or isinstance(made, ast.For)):
            return


def _is_argument(scope: ast.AST, name: str) -> bool:
    arguments = scope.args if isinstance(scope, ast.FunctionDef) else None
    return arguments is not None and name in {one.arg for one in (*arguments.args, *arguments.kwonlyargs)}


def _given(scopes: Sequence[ast.AST], line: int) -> ast.AST | None:
    """What the net is given in a line: the argument of the innermost call of a variable or an attribute of self."""
    calls = [
        one for one in (walk(scopes[-1]) if scopes else ())
        if isinstance(one, ast.Call) and one.args and one.lineno <= line <= (one.end_lineno or one.lineno)
        and (isinstance(one.func, ast.Name) or (isinstance(one.func, ast.Attribute) and _is_self(one.func.value)))
    ]  # fmt: skip
    inner = min(calls, key=lambda one: len(walk(one)), default=None)
    return inner.args[0] if inner is not None else None


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _last_made(scopes: Sequence[ast.AST], name: str, before: int) -> ast.stmt | None:
    """The last statement above a line that gives a name a value, or a part of one; in a function around it any."""
    for scope in scopes:
        made = [one for one in walk(scope) if isinstance(one, ast.stmt) and name in _targets(one)]
        above = [one for one in made if one.lineno < before]
        if above:
            return max(above, key=lambda one: one.lineno)
    return None


def _targets(node: ast.stmt) -> set[str]:
    match node:
        case ast.Assign():
            targets = node.targets
        case ast.AugAssign() | ast.AnnAssign() | ast.For():
            targets = [node.target]
        case _:
            return set()
    each = [
        one for target in targets for one in (target.elts if isinstance(target, ast.Tuple | ast.List) else [target])
    ]
    each = [inner for one in each for inner in (one.elts if isinstance(one, ast.Tuple) else [one])]
    return {_base(one) for one in each} - {""}


def _value(made: ast.stmt, name: str) -> ast.AST | None:
    """What a statement gives to a name; None where it is computed there."""
    if isinstance(made, ast.For):
        return made.iter
    if not isinstance(made, ast.Assign):
        return None
    (target, *_), value = made.targets, made.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return next((own for one, own in zip(target.elts, value.elts, strict=True) if _base(one) == name), None)
    return None if isinstance(target, ast.Subscript) else value


def _is_form(value: ast.AST) -> bool:
    """Whether an expression is a variable, or a part or another form of one."""
    match value:
        case ast.Name():
            return True
        case ast.Subscript() | ast.Attribute():
            return _is_form(value.value)
        case ast.Call():
            if isinstance(value.func, ast.Attribute) and value.func.attr in _FORMS:
                return _is_form(value.func.value)
            return name_of(value.func) in _COUNTED and len(value.args) == 1 and _is_form(value.args[0])
        case _:
            return False


def _base(value: ast.AST) -> str:
    """The variable that an expression is a part or another form of; empty where there is none."""
    match value:
        case ast.Name():
            return value.id
        case ast.Subscript() | ast.Attribute() | ast.Starred():
            return _base(value.value)
        case ast.Call() if isinstance(value.func, ast.Attribute) and value.func.attr in _FORMS:
            return _base(value.func.value)
        case ast.Call():  # of several arguments the data come first
            names = (_base(one) for one in value.args if not isinstance(one, ast.Constant))
            return next((name for name in names if name and not _COUNTS.search(name)), "")
        case _:
            return ""
