"""Which line within a piece of source shows a fault: a telling call, or what a name was made of."""

import ast
import fnmatch
import re
from collections.abc import Collection, Iterable, Sequence

from danlu.base.records import CodeLine
from danlu.watch.pointing import CUTS, of_pass
from danlu.watch.probes.code_words import name_of, own_words
from danlu.watch.walking import statements, walk

_MOST_STATEMENTS = 64
_LAYERS = re.compile(
    r"^(Lazy)?(Linear|Bilinear|Conv(Transpose)?[123]d|(Layer|Group|Batch|Instance|RMS)Norm([123]d)?|RNN|LSTM|GRU|Embedding"
    r"|MultiheadAttention|Parameter)$"
)


def only_call(scope: ast.AST, names: Sequence[str]) -> int | None:
    """The line of the first of these names, or patterns of names, that is called in the source, if it is called there
    but once; None where none is, or it could be any of several. What an `__init__` makes is no call of it.

    >>> source = "def forward(self, x):\\n a = x.softmax(-1)\\n b = a.softmax(0)\\n return b.relu()"
    >>> only_call(ast.parse(source), ["tanh", "relu"]), only_call(ast.parse(source), ["softmax"])
    (4, None)
    >>> only_call(ast.parse(source), ["soft*"]), only_call(ast.parse(source), ["re*u"])
    (None, 4)

    Of arguments of such a name the first one tells it.

    >>> only_call(ast.parse("out = encoder(\\n x,\\n padding_mask=m,\\n)"), ["*pad*mask*"])
    3
    """
    made = {
        id(call) for one in walk(scope) if isinstance(one, ast.FunctionDef) and one.name == "__init__"
        for call in walk(one)
    }  # fmt: skip
    calls = [one for one in walk(scope) if isinstance(one, ast.Call) and id(one) not in made]
    for name in names:
        lines = {one.lineno for one in calls if fnmatch.fnmatchcase(name_of(one.func), name)}
        if lines:
            return lines.pop() if len(lines) == 1 else None
        given = [
            word.value.lineno for one in calls for word in one.keywords if fnmatch.fnmatchcase(word.arg or "", name)
        ]
        if given:
            return min(given)
    return None


def makes_a_layer(scope: ast.AST) -> int | None:
    """The first line of `forward` in a class that makes a layer with parameters.

    >>> source = "class Net(Module):\\n def forward(self, x):\\n  return nn.Linear(2, 2)(x)"
    >>> makes_a_layer(ast.parse(source))
    3
    """
    calls = (one for one in of_pass(scope) if isinstance(one, ast.Call))
    return min((one.lineno for one in calls if _LAYERS.match(name_of(one.func))), default=None)


def makes_what_goes_backwards(scope: ast.AST, line: CodeLine) -> CodeLine:
    """The line that made the loss which a line sends backwards, where that is a name; else that line itself.

    >>> source = "out = net(x)\\nloss = (out - y).abs().mean()\\nopt.zero_grad()\\nloss.backward()"
    >>> makes_what_goes_backwards(ast.parse(source), CodeLine("train.py", 4)).line
    2
    """
    here = [one for one in walk(scope) if isinstance(one, ast.Call) and one.lineno == line.line]
    sent = next(
        (one.func.value for one in here if isinstance(one.func, ast.Attribute) and one.func.attr == "backward"), None
    )
    if isinstance(sent, ast.Call) and len(sent.args) == 1:  # scaler.scale(loss)
        sent = sent.args[0]
    if not isinstance(sent, ast.Name):
        return line
    made = [
        one.lineno for one in statements(scope)
        if isinstance(one, ast.Assign) and one.lineno < line.line
        and any(name_of(each) == sent.id for each in one.targets)
    ]  # fmt: skip
    return CodeLine(line.file, max(made)) if made else line


def makes_the_targets(scope: ast.AST, line: CodeLine) -> CodeLine:
    """The line that made what a loss in a line compares with, where that is a name that an assignment before it has
    given; else that line itself.

    >>> source = "x = data[:, :-1]\\ny = data[:, :-1]\\nout = net(x)\\nloss = cross_entropy(out, y.flatten())"
    >>> makes_the_targets(ast.parse(source), CodeLine("train.py", 4)).line
    2
    """
    calls = [one for one in walk(scope) if isinstance(one, ast.Call) and one.lineno == line.line]
    named = (next((word.value for word in one.keywords if word.arg == "target"), None) for one in calls)
    wanted = next((one for one in named if one is not None), None)
    wanted = wanted or next((one.args[1] for one in calls if len(one.args) > 1), None)
    while isinstance(wanted, ast.Call | ast.Attribute | ast.Subscript):
        wanted = wanted.func if isinstance(wanted, ast.Call) else wanted.value
    if not isinstance(wanted, ast.Name):
        return line
    made = [
        one.lineno for one in statements(scope)
        if isinstance(one, ast.Assign) and one.lineno < line.line and wanted.id not in own_words(one.value)
        and any(isinstance(part, ast.Name) and part.id == wanted.id for target in one.targets for part in walk(target))
    ]  # fmt: skip
    return CodeLine(line.file, max(made)) if made else line


def cuts_the_graph(scope: ast.AST, line: CodeLine, whole: ast.AST | None = None) -> CodeLine:
    """The line nearest behind the one that makes a loss that takes a value out of the graph, or the only one in the
    functions of the `whole` file that it calls; else that line itself.

    >>> source = "p = torch.tensor(logs, requires_grad=True)\\nloss = -(p * reward).sum()"
    >>> cuts_the_graph(ast.parse(source), CodeLine("train.py", 2)).line
    1
    """
    made = [one for one in statements(scope) if isinstance(one, ast.Assign) and one.lineno <= line.line]
    waiting, seen = [one for one in made if one.lineno == line.line], set[int]()
    for one in waiting:  # it grows as it is gone through
        if any(isinstance(part, ast.Call) and _cuts(part) for part in walk(one.value)):
            return CodeLine(line.file, one.lineno)
        seen.add(id(one))
        words = own_words(one.value)
        waiting += [other for other in made if id(other) not in seen and other.lineno < one.lineno
                    and any(name_of(target) in words for target in other.targets)]  # fmt: skip
        if len(waiting) > _MOST_STATEMENTS:
            break
    called = {word for one in waiting for word in own_words(one.value)}
    homes = [one for one in walk(whole) if isinstance(one, ast.FunctionDef) and one.name in called] if whole else []
    lines = {part.lineno for home in homes for part in walk(home) if isinstance(part, ast.Call) and _cuts(part)}
    return CodeLine(line.file, lines.pop()) if len(lines) == 1 else line


def _cuts(call: ast.Call) -> bool:
    fresh = name_of(call.func) == "tensor" and any(one.arg == "requires_grad" for one in call.keywords)
    return fresh or name_of(call.func) in CUTS


def _innermost_loop(scope: ast.AST, line: CodeLine) -> ast.For | ast.While | None:
    """The loop that a line stands in, the innermost of several."""
    loops = [
        one for one in walk(scope)
        if isinstance(one, ast.For | ast.While) and one.lineno <= line.line <= (one.end_lineno or 0)
    ]  # fmt: skip
    return max(loops, key=lambda one: one.lineno, default=None)


def clears_within(scope: ast.AST, line: CodeLine) -> int | None:
    """The line of the first zero_grad() in the innermost loop that a line stands in.

    >>> source = "for step in it:\\n opt.zero_grad()\\n for part in batch:\\n  opt.zero_grad()\\n  f(part).backward()"
    >>> clears_within(ast.parse(source), CodeLine("train.py", 5))
    4
    """
    inner = _innermost_loop(scope, line)
    calls = (one for one in walk(inner) if isinstance(one, ast.Call)) if inner is not None else ()
    return min((one.lineno for one in calls if name_of(one.func) == "zero_grad"), default=None)


def waits_to_step(scope: ast.AST, line: CodeLine) -> int | None:
    """The line of the test that the step of an optimizer waits for, in the innermost loop that a line stands in.

    >>> source = "for i, b in it:\\n f(b).backward()\\n if (i + 1) % 8 == 0:\\n  opt.step()"
    >>> waits_to_step(ast.parse(source), CodeLine("train.py", 2))
    3
    """
    inner = _innermost_loop(scope, line)
    tests = [one for one in walk(inner) if isinstance(one, ast.If)] if inner is not None else []
    steps = (one.lineno for one in tests if any(isinstance(part, ast.Call) and name_of(part.func) == "step"
                                                for part in walk(one)))  # fmt: skip
    return max(steps, default=None)


def caller(scopes: Iterable[ast.AST], function: str) -> int | None:
    """The line in the first of these pieces of source that calls a function, if there is but one."""
    for scope in scopes:
        lines = {one.lineno for one in walk(scope) if isinstance(one, ast.Call) and name_of(one.func) == function}
        if lines:
            return lines.pop() if len(lines) == 1 else None
    return None


def runs_epochs(scopes: Sequence[ast.AST], line: int, entered: Collection[int] = ()) -> int | None:
    """The line that gives the number of the outermost loop which a line stands in, or in which that loop begins; a loop
    around the lines `entered` is another one's.

    >>> source = "EPOCHS = 2\\nfor epoch in range(EPOCHS):\\n for x, y in it:\\n  opt.step()"
    >>> runs_epochs([ast.parse(source)], 4), runs_epochs([ast.parse(source.replace("EPOCHS)", "9)"))], 4)
    (1, 2)
    >>> runs_epochs([ast.parse(source)], 4, entered=[3])
    """
    loops = [
        one for one in (walk(scopes[0]) if scopes else ())
        if isinstance(one, ast.For | ast.While) and one.lineno <= line <= (one.end_lineno or 0)
        and not any(one.lineno <= other <= (one.end_lineno or 0) for other in entered)
    ]  # fmt: skip
    outer = min(loops, key=lambda one: one.lineno, default=None)
    if outer is None:
        return None
    words = own_words(outer.iter if isinstance(outer, ast.For) else outer.test)
    given = [
        one.lineno for scope in scopes for one in statements(scope)
        if isinstance(one, ast.Assign) and one.lineno < outer.lineno and isinstance(one.value, ast.Constant)
        and any(name_of(target) in words for target in one.targets)
    ]  # fmt: skip
    return max(given, default=outer.lineno)
