"""Which line of a piece of source holds what a finding speaks of: an operation of a pass, a setting, an object."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from danlu.watch.probes.code_words import name_of, own_words
from danlu.watch.walking import statements, walk

_INITS = re.compile(r"^(normal|uniform|constant|zeros|ones|fill|zero|xavier_\w+|kaiming_\w+|orthogonal|trunc_normal)_$")
_HARD = {"argmax", "round", "sign", "floor", "ceil", "bernoulli", "multinomial", "one_hot", "heaviside"}
CUTS = ("detach", "item", "numpy", "tolist")
"""Methods whose result is out of the graph."""


def in_pass(scope: ast.AST, names: Collection[str]) -> int | None:
    """The last line of `forward` in a class that calls one of these, whatever it is a method or a function of.

    >>> source = "class Net:\\n def forward(self, x):\\n  x = relu(x)\\n  return relu(self.fc(x))"
    >>> in_pass(ast.parse(source), ("relu",)), in_pass(ast.parse(source), ("tanh",))
    (4, None)
    """
    calls = (one for one in of_pass(scope) if isinstance(one, ast.Call) and _called(one) in names)
    return max((one.lineno for one in calls), default=None)


def cut_in_pass(scope: ast.AST) -> int | None:
    """The line of `forward` in a class that takes a value out of the graph, if there is but one.

    >>> source = "class Net:\\n def forward(self, x):\\n  h = self.rnn(x).data\\n  return self.fc(h)"
    >>> cut_in_pass(ast.parse(source))
    3
    """
    return _only(of_pass(scope)) or _only(_of_methods(scope), hard=True)


def _only(nodes: Iterable[ast.AST], *, hard: bool = False) -> int | None:
    """The line among these that takes a value out of the graph, or makes it a hard choice, if there is but one."""
    found = {
        one.lineno for one in nodes
        if (hard and (isinstance(one, ast.Compare) or (isinstance(one, ast.Call) and _called(one) in _HARD)))
        or (isinstance(one, ast.Attribute) and one.attr == "data" and isinstance(one.ctx, ast.Load))
        or (isinstance(one, ast.Call) and _called(one) in CUTS)
        or (isinstance(one, ast.With) and any(_called(item.context_expr) == "no_grad" for item in one.items))
    }  # fmt: skip
    return found.pop() if len(found) == 1 else None


def initialises(scopes: Iterable[ast.AST]) -> int | None:
    """The first line that draws or sets a weight in place, in the first of these pieces of source that has one.

    >>> initialises([ast.parse("m.bias.data.fill_(0)\\nnn.init.normal_(m.weight, std=1)")])
    2
    """
    for scope in scopes:
        calls = (one for one in walk(scope) if isinstance(one, ast.Call) and _INITS.match(name_of(one.func)))
        lines = [one.lineno for one in calls if any("weight" in word for word in own_words(one))]
        if lines:
            return min(lines)
    return None


def makes_what_is_called(scopes: Iterable[ast.AST], line: int) -> int | None:
    """The line that makes the loss object which a line calls, if there is but one.

    >>> source = "criterion = nn.CrossEntropyLoss(weight=w)\\nloss = criterion(net(x), y)"
    >>> makes_what_is_called([ast.parse(source)], 2)
    1
    """
    scopes = list(scopes)
    calls = [one for one in walk(scopes[-1]) if isinstance(one, ast.Call) and one.lineno == line] if scopes else []
    names = {_called(one) for one in calls}
    for scope in scopes:
        made = {
            one.lineno for one in statements(scope)
            if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call)
            and _called(one.value).endswith("Loss") and any(name_of(target) in names for target in one.targets)
        }  # fmt: skip
        if made:
            return made.pop() if len(made) == 1 else None
    return None


def gives_setting(scopes: Iterable[ast.AST], line: int, argument: str) -> int | None:
    """The line nearest above that gives a number to the name which a call in `line` is given as `argument`.

    >>> source = "lr = 0.1\\nif small:\\n lr = 1e-9\\nsgd = SGD(net.parameters(), lr=lr)"
    >>> gives_setting([ast.parse(source)], 4, "lr"), gives_setting([ast.parse("sgd = SGD(p, lr=0.1)")], 1, "lr")
    (3, None)
    """
    for scope in scopes:
        given = [
            word.value.id for one in walk(scope) if isinstance(one, ast.Call) and one.lineno == line
            for word in one.keywords if word.arg == argument and isinstance(word.value, ast.Name)
        ]  # fmt: skip
        made = [
            one.lineno for one in statements(scope)
            if isinstance(one, ast.Assign) and one.lineno < line and given and _gives_number(one, given[0])
        ]  # fmt: skip
        if made:
            return max(made)
    return None


def keeps(scope: ast.AST, name: str) -> int | None:
    """The last line of a class that puts something into an attribute of `self` which no constant is, outside of
    `__init__`.

    >>> source = "class Net:\\n def forward(self, x):\\n  self.h = f(x, self.h)\\n def reset(self):\\n  self.h = None"
    >>> keeps(ast.parse(source), "h")
    3
    """
    first = {
        id(part) for one in walk(scope) if isinstance(one, ast.FunctionDef) and one.name == "__init__"
        for part in walk(one)
    }  # fmt: skip
    found = [
        one.lineno for one in walk(scope)
        if isinstance(one, ast.Assign) and id(one) not in first and not isinstance(one.value, ast.Constant)
        and any(isinstance(part, ast.Attribute) and part.attr == name and isinstance(part.ctx, ast.Store)
                for target in one.targets for part in walk(target))
        and not _draws_nothing(one.value)
    ]  # fmt: skip
    return max(found, default=None)


def _draws_nothing(node: ast.AST) -> bool:
    """Whether a value is all zeros: a state that begins."""
    return any(_called(one) in ("zeros", "zeros_like", "new_zeros") for one in walk(node))


def uncalled(scopes: Iterable[ast.AST], name: str) -> int | None:
    """The line of a statement that names a method and does not call it.

    >>> uncalled([ast.parse("opt.zero_grad\\nloss.backward()")], "zero_grad")
    1
    """
    for scope in scopes:
        for one in statements(scope):
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Attribute) and one.value.attr == name:
                return one.lineno
    return None


def of_pass(scope: ast.AST) -> Iterator[ast.AST]:
    """All that stands in the `forward` of a class."""
    for one in walk(scope):
        if isinstance(one, ast.FunctionDef) and one.name == "forward":
            yield from walk(one)


def _of_methods(scope: ast.AST) -> Iterator[ast.AST]:
    """All that stands in the methods of a class that may run in a pass."""
    for one in walk(scope):
        if isinstance(one, ast.FunctionDef) and one.name != "__init__":
            yield from walk(one)


def _called(node: ast.AST) -> str:
    return name_of(node.func) if isinstance(node, ast.Call) else ""


def _gives_number(node: ast.Assign, name: str) -> bool:
    for target in node.targets:
        each = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        pairs = zip(each, values, strict=False)
        if any(isinstance(one, ast.Name) and one.id == name and _has_number(value) for one, value in pairs):
            return True
    return False


def _has_number(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Constant) and isinstance(one.value, int | float) for one in walk(node))
