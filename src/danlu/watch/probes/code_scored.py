"""Training and test data in the source: whether one is used where the other is meant."""

import ast
import re
from collections.abc import Iterator

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of, own_words
from danlu.watch.walking import walk

_TEST = re.compile(r"(^|_)(tests?|val|valid|validation|dev|holdout)(_|\d|$|loader|iter|dl|set|data)", re.IGNORECASE)
_TEST_DATA = re.compile(
    r"^([xy]_?|loader_|iter_)?(tests?|val|valid|validation|dev)(_?(loader|iter|dl|ds|(data)?set|data|batches|[xy]))?s?$",
    re.IGNORECASE,
)
_TRAIN = re.compile(r"train|(^|_)trn?(_|\d|$|loader|iter|dl|set)", re.IGNORECASE)
_LOADERS = ("DataLoader", "TensorDataset")
_PICKING = ("sampler", "batch_sampler")
_SCORES = re.compile(r"eval|test|valid|score|accuracy|^run_epoch|^acc", re.IGNORECASE)


def may_update(text: SourceText) -> bool:
    """Whether there can be a backward pass from test data."""
    return text.has({"backward"}) and text.matches(_TEST_DATA)


def updates_on_test(scope: ast.AST) -> int | None:
    """The line of a backward pass, followed by a step, in a loop over test data; one that hangs on a condition may be
    that of a loop over both.

    >>> source = "for x, y in {}_loader:\\n    loss = f(net(x), y)\\n    loss.backward()\\n    optimizer.step()"
    >>> updates_on_test(ast.parse(source.format("test"))), updates_on_test(ast.parse(source.format("train")))
    (3, None)
    """
    for loop in walk(scope):
        if not isinstance(loop, ast.For) or not _is_of_test(loop.iter):
            continue
        plain = list(_unconditional(loop.body))
        backward = next((one.lineno for one in plain if _calls(one, "backward")), None)
        if backward is not None and any(_calls(one, "step") and not _is_schedule(one) for one in plain):
            return backward
    return None


def may_test(text: SourceText) -> bool:
    """Whether there can be a score of test data and one of training data."""
    return text.matches(_TEST) and text.matches(_TRAIN)


def tests_on_training(scope: ast.AST) -> int | None:
    """The line that computes a score of its name "test" or "validation" from training data, or calls these so.

    >>> tests_on_training(ast.parse("test_acc = evaluate(net, train_iter)"))
    1
    >>> tests_on_training(ast.parse("test_acc = evaluate(net, test_iter)")) is None
    True
    >>> tests_on_training(ast.parse("val_loader = DataLoader(train_set, 64)"))
    1
    >>> tests_on_training(ast.parse("val_loader = DataLoader(train_set, 64, sampler=rest)")) is None
    True
    """
    for node in walk(scope):
        if isinstance(node, ast.Assign) and _names_test(node.targets) and _is_all_training(node.value):
            return node.lineno
        if isinstance(node, ast.Assign) and _names_test(node.targets) and isinstance(node.value, ast.Call):
            call = node.value
            given = {name_of(one) for one in (*call.args, *(one.value for one in call.keywords))} - {""}
            if _SCORES.search(name_of(call.func)) and _is_training(given):
                return node.lineno
        if isinstance(node, ast.For) and _is_training(own_words(node.iter)):
            own = [one for one in walk(node) if isinstance(one, ast.AugAssign)]
            if any(_names_test([one.target]) for one in own) and not any(_calls(one, "backward") for one in walk(node)):
                return node.lineno
    return None


def _is_all_training(value: ast.AST) -> bool:
    """Whether a value is the training data, by their name or in a loader that picks none of them."""
    if isinstance(value, ast.IfExp):
        return _is_all_training(value.body) or _is_all_training(value.orelse)
    if isinstance(value, ast.Call) and name_of(value.func) in _LOADERS and value.args:
        return not any(one.arg in _PICKING for one in value.keywords) and _is_all_training(value.args[0])
    return isinstance(value, ast.Name | ast.Attribute) and _is_training({name_of(value)})


def _is_of_test(iterable: ast.AST) -> bool:
    words = own_words(iterable)
    return any(_TEST_DATA.match(word) for word in words) and not any(_TRAIN.search(word) for word in words)


def _is_training(words: set[str]) -> bool:
    return any(_TRAIN.search(word) for word in words) and not any(_TEST.search(word) for word in words)


def _names_test(targets: list[ast.expr]) -> bool:
    words = {word for one in targets for word in own_words(one)}
    return any(_TEST.search(word) for word in words) and not any(_TRAIN.search(word) for word in words)


def _unconditional(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a loop that run whenever it does; those of loops and blocks within it too."""
    for one in body:
        if isinstance(one, ast.With | ast.For):
            yield from _unconditional(one.body)
        elif not isinstance(one, ast.If | ast.FunctionDef | ast.ClassDef):
            yield one


def _calls(node: ast.AST, name: str) -> bool:
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == name
        for one in walk(node)
    )  # fmt: skip


def _is_schedule(node: ast.AST) -> bool:
    return any("sched" in word.lower() for word in own_words(node))
