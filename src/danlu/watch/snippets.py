"""A remedy in the user's own words: the statement at fault as it stands, and as it would be mended."""

import ast
import linecache
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from danlu.base.records import CodeLine, Snippet
from danlu.watch.contract import Remedy
from danlu.watch.walking import statements, walk

_MOST_LINES = 6
_LOSSES_OF_LOGITS = {
    "with-logits": {"binary_cross_entropy": "binary_cross_entropy_with_logits", "BCELoss": "BCEWithLogitsLoss"},
    "log-softmax": {"nll_loss": "cross_entropy", "NLLLoss": "CrossEntropyLoss"},
}
_BOUNDED = ("softmax", "sigmoid")
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_COMPOUND = ast.For | ast.AsyncFor | ast.While | ast.If | ast.With | ast.AsyncWith


class _Statement:
    """One statement of a file, or the head of one that holds others: its text, and edits at places of its tree."""

    def __init__(self, node: ast.stmt, lines: list[str]) -> None:
        last = node.body[0].lineno - 1 if isinstance(node, _COMPOUND) else (node.end_lineno or node.lineno)
        self._node = node
        self.first, self.last = node.lineno, max(last, node.lineno)
        self._lines = [line.encode() for line in lines[self.first - 1 : self.last]]
        self.calls = [one for one in walk(node) if isinstance(one, ast.Call) and self._holds(one)]

    @property
    def stands_alone(self) -> bool:
        """Whether nothing else stands on its lines but a comment."""
        node = self._node
        if isinstance(node, _COMPOUND):
            return node.body[0].lineno > self.last
        behind = self._lines[-1][node.end_col_offset or 0 :].strip()
        return not self._lines[0][: node.col_offset].strip() and (not behind or behind.startswith(b"#"))

    def _holds(self, node: ast.expr) -> bool:
        return self.first <= node.lineno and (node.end_lineno or node.lineno) <= self.last

    @property
    def text(self) -> str:
        return _plain(b"".join(self._lines))

    def source(self, node: ast.expr) -> str:
        """The text of an expression."""
        start, end = self._place(node)
        return b"".join(self._lines)[start:end].decode()

    def with_text(self, node: ast.expr, text: str) -> str:
        """The statement with an expression in it replaced."""
        whole, (start, end) = b"".join(self._lines), self._place(node)
        return _plain(whole[:start] + text.encode() + whole[end:])

    def with_argument(self, call: ast.Call, name: str, value: str, place: int | None = None) -> str:
        """The statement with an argument of a call set, by its name or where it stands at a place; added where it is
        not given."""
        given = next((one.value for one in call.keywords if one.arg == name), None)
        if given is None and place is not None and place < len(call.args):
            given = call.args[place]
        if given is not None:
            return self.with_text(given, value)
        whole, (_, end) = b"".join(self._lines), self._place(call)
        before = whole[: end - 1].rstrip()
        comma = b"" if before.endswith((b"(", b",")) else b","
        space = b"" if before.endswith(b"(") else b" "
        return _plain(before + comma + space + f"{name}={value}".encode() + whole[end - 1 :])

    def _place(self, node: ast.expr) -> tuple[int, int]:
        ahead = [0]
        for line in self._lines:
            ahead.append(ahead[-1] + len(line))
        end_line, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return ahead[node.lineno - self.first] + node.col_offset, ahead[end_line - self.first] + end


_Rewrite = Callable[[_Statement, Any], str | None]


def snippet(tree: ast.Module, line: CodeLine, remedy: Remedy) -> Snippet | None:
    """The statement of `line` in the file of that tree, before and after `remedy`; None where that is not a change of
    this one statement, or where it cannot be told which part of it is meant.

    >>> linecache.cache["<me>"] = (0, None, ["sgd = SGD(net.parameters(), lr=9.0)\\n"], "<me>")
    >>> tree = ast.parse("".join(linecache.getlines("<me>")))
    >>> snippet(tree, CodeLine("<me>", 1), {"optim.lr": 0.1})
    Snippet(before='sgd = SGD(net.parameters(), lr=9.0)', after='sgd = SGD(net.parameters(), lr=0.1)')
    """
    around = [one for one in statements(tree) if not isinstance(one, _Scope)]
    inside = [one for one in around if one.lineno <= line.line <= (one.end_lineno or one.lineno)]
    if not inside:
        return None
    node = min(inside, key=lambda one: (one.end_lineno or one.lineno) - one.lineno)
    statement = _Statement(node, linecache.getlines(line.file))
    if not statement.first <= line.line <= statement.last or statement.last - statement.first >= _MOST_LINES:
        return None
    if not statement.stands_alone:
        return None
    after = _rewritten(statement, remedy)
    return Snippet(statement.text, after) if after and after != statement.text else None


def _rewritten(statement: _Statement, remedy: Remedy) -> str | None:
    if isinstance(remedy, Mapping):
        ((key, value), *others) = remedy.items()
        rewrite = _CHANGES.get(key)
        return rewrite(statement, value) if rewrite and not others and value is not None else None
    rewrite = _ADVICE.get(remedy)
    return rewrite(statement, remedy) if rewrite else None


def _option(name: str, place: int | None = None) -> _Rewrite:
    """An argument of the one call that makes an optimizer: whatever takes parameters first."""

    def rewrite(statement: _Statement, value: Any) -> str | None:
        calls = [call for call in statement.calls if call.args and _name(call)[:1].isupper()]
        return statement.with_argument(calls[0], name, f"{value:g}", place) if len(calls) == 1 else None

    return rewrite


def _clip(statement: _Statement, value: Any) -> str | None:
    calls = [call for call in statement.calls if _name(call) == "clip_grad_norm_"]
    return statement.with_argument(calls[0], "max_norm", f"{value:g}", 1) if len(calls) == 1 else None


def _reduction(statement: _Statement, value: Any) -> str | None:
    given = [one.value for call in statement.calls for one in call.keywords if one.arg == "reduction"]
    return statement.with_text(given[0], f'"{value}"') if len(given) == 1 else None


def _shuffle(statement: _Statement, value: Any) -> str | None:
    calls = [call for call in statement.calls if _name(call) == "DataLoader"]
    own = {one.arg for call in calls for one in call.keywords} & {"sampler", "batch_sampler"}
    return statement.with_argument(calls[0], "shuffle", str(value)) if len(calls) == 1 and not own else None


def _squeeze(statement: _Statement, _: Any) -> str | None:
    calls = [call for call in statement.calls if len(call.args) == 2 and "loss" in _name(call).lower()]
    if len(calls) != 1:
        return None
    output = calls[0].args[0]
    text = statement.source(output)
    simple = isinstance(output, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return statement.with_text(output, f"{text}.squeeze(1)" if simple else f"({text}).squeeze(1)")


def _zero_grad(statement: _Statement, _: Any) -> str | None:
    calls = [call for call in statement.calls if _name(call) == "step" and isinstance(call.func, ast.Attribute)]
    if len(calls) != 1 or not isinstance(calls[0].func, ast.Attribute):
        return None
    owner = calls[0].args[0] if calls[0].args else calls[0].func.value  # scaler.step(optimizer)
    if not isinstance(owner, ast.Name | ast.Attribute):
        return None
    return f"{statement.text}\n{statement.source(owner)}.zero_grad()"


def _mode(call: str) -> _Rewrite:
    """A call of the model put before its use; where several things are called it cannot be told which is the model."""

    def rewrite(statement: _Statement, _: Any) -> str | None:
        owned = [one.func for one in statement.calls if isinstance(one.func, ast.Name) or _is_of_self(one.func)]
        names = {statement.source(one) for one in owned}
        return f"{names.pop()}.{call}()\n{statement.text}" if len(names) == 1 else None

    return rewrite


def _no_softmax(statement: _Statement, _: Any) -> str | None:
    calls = [call for call in statement.calls if _name(call) in _BOUNDED and isinstance(call.func, ast.Attribute)]
    if len(calls) != 1 or not isinstance(calls[0].func, ast.Attribute):
        return None
    owner = calls[0].func.value
    is_function = isinstance(owner, ast.Name) and owner.id in ("F", "torch", "functional")
    if is_function and not calls[0].args:
        return None
    return statement.with_text(calls[0], statement.source(calls[0].args[0] if is_function else owner))


def _other_loss(statement: _Statement, remedy: Any) -> str | None:
    names = _LOSSES_OF_LOGITS[remedy]
    functions = [call.func for call in statement.calls if _name(call) in names]
    if len(functions) != 1:
        return None
    text = statement.source(functions[0])
    owner, dot, name = text.rpartition(".")
    return statement.with_text(functions[0], f"{owner}{dot}{names[name]}")


_CHANGES: Mapping[str, _Rewrite] = {
    "optim.lr": _option("lr", 1),
    "optim.weight_decay": _option("weight_decay"),
    "train.clip_norm": _clip,
    "loss.reduction": _reduction,
    "data.shuffle": _shuffle,
}
_ADVICE: Mapping[str, _Rewrite] = {
    "squeeze-output": _squeeze,
    "zero-grad": _zero_grad,
    "call-train": _mode("train"),
    "call-eval": _mode("eval"),
    "drop-softmax": _no_softmax,
    "with-logits": _other_loss,
    "log-softmax": _other_loss,
}


def _name(call: ast.Call) -> str:
    """The last part of what is called."""
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "")


def _is_of_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _plain(text: bytes) -> str:
    return textwrap.dedent(text.decode()).strip("\n")
