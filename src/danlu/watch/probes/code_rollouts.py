"""Experience in the source: whether rewards and actions stand beside the states that they belong to."""

import ast
import re
from collections.abc import Iterator

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of, own_words
from danlu.watch.walking import walk

_REWARD = re.compile(r"^(r|rs|rews?|r_t)$|reward", re.IGNORECASE)
_DISCOUNT = re.compile(r"(^|_)(gamma|discount)|lam(bda)?$", re.IGNORECASE)
_BACKWARDS = {"reversed", "flip", "reverse", "flipud", "insert", "appendleft", "pop"}
_STORES = {"append", "add", "push", "store", "put", "extend", "appendleft", "record", "remember", "store_transition"}
_COPIES = {
    "clone", "copy", "deepcopy", "detach", "cpu", "numpy", "float", "to", "tensor", "as_tensor", "array", "asarray",
    "from_numpy", "FloatTensor", "squeeze", "unsqueeze", "flatten",
}  # fmt: skip
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def may_roll_out(text: SourceText) -> bool:
    """Whether there can be rewards that are gathered."""
    return text.matches(_REWARD)


def summed_from_the_start(scope: ast.AST) -> int | None:
    """The line of a running sum of discounted rewards that goes through them from the first to the last, and is kept
    for each: what came before an action is put down to it, and what came of it is not.

    >>> source = "def f(rs):\\n R, out = 0, []\\n for r in {}:\\n  R = r + gamma * R\\n  out.append(R)\\n return out"
    >>> [summed_from_the_start(ast.parse(source.format(over))) for over in ("rs", "rs[::-1]")]
    [4, None]
    """
    for home in _homes(scope):
        if own_words(home) & _BACKWARDS or any(map(_is_negative_step, walk(home))):
            continue
        for loop in (one for one in walk(home) if isinstance(one, ast.For)):
            over = own_words(loop.iter) | own_words(loop.target)
            if not any(_REWARD.search(word) for word in over | own_words(ast.Module([*loop.body], []))):
                continue
            for one in walk(loop):
                name = name_of(one.targets[0]) if isinstance(one, ast.Assign) else ""
                if name and isinstance(one, ast.Assign) and _runs_on(one.value, name) and _is_kept(loop, name):
                    return one.lineno
    return None


def running_sum(scope: ast.AST) -> int | None:
    """The line of a running sum of discounted rewards, in whatever order."""
    for one in walk(scope):
        if isinstance(one, ast.Assign) and _runs_on(one.value, name_of(one.targets[0])):
            return one.lineno
    return None


def stored_late(scope: ast.AST) -> int | None:
    """The line that keeps an observation beside an action, when the environment has made its step already and the
    observation that the action was chosen by is gone.

    >>> source = "for t in it:\\n a = act(o)\\n {}o, r, d, _ = env.step(a)\\n buffer.append(({}, a, r))"
    >>> stored_late(ast.parse(source.format("", "o"))), stored_late(ast.parse(source.format("p = o; ", "p")))
    (4, None)
    """
    for loop in (one for one in walk(scope) if isinstance(one, ast.For | ast.While | _FUNCTION)):
        body = [one for one in loop.body if not isinstance(one, _FUNCTION | ast.ClassDef)]
        for place, statement in enumerate(body):
            found = _late_in(body, place, statement)
            if found is not None:
                return found
    return None


def _late_in(body: list[ast.stmt], place: int, statement: ast.stmt) -> int | None:
    """The same for one body, whose statement at `place` may be the step of the environment."""
    step = _step_of(statement)
    if step is None:
        return None
    call, gives = step
    actions = {ast.unparse(one) for one in call.args if isinstance(one, ast.Name | ast.Subscript | ast.Attribute)}
    before, after = body[:place], body[place + 1 :]
    env = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    for seen in _chosen_by(before, actions, gives, env):
        kept_before = any(_keeps(one, seen) for one in before)
        late = next((line for one in after if (line := _stores(one, seen)) is not None), None)
        beside = any(_stores(one, action) is not None for one in body for action in actions)
        beside = beside or any(_stores_target(before, action) for action in actions)
        if late is not None and beside and not kept_before:
            return late
    return None


def _step_of(statement: ast.stmt) -> tuple[ast.Call, set[str]] | None:
    """The call in which an environment takes an action, and what is given a value by it."""
    if not isinstance(statement, ast.Assign | ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    call = statement.value
    targets = statement.targets[0] if isinstance(statement, ast.Assign) else None
    each = targets.elts if isinstance(targets, ast.Tuple) else [targets] if targets is not None else []
    gives = {ast.unparse(one) for one in each}
    rewarded = any(_REWARD.search(name_of(one)) for one in each)
    named = isinstance(call.func, ast.Attribute) and (call.func.attr == "step" or rewarded)
    return (call, gives) if named and call.args and (rewarded or len(each) > 2) else None


def _chosen_by(before: list[ast.stmt], actions: set[str], gives: set[str], env: str) -> list[str]:
    """What an action was computed from that the step replaces: a variable that it gives, or a part of the whole."""
    found: list[str] = []
    for one in (inner for each in before for inner in walk(each)):
        if isinstance(one, ast.Assign) and any(ast.unparse(target) in actions for target in one.targets):
            for part in walk(one.value):
                if isinstance(part, ast.Name) and part.id in gives:
                    found.append(part.id)
                elif env and isinstance(part, ast.Attribute) and ast.unparse(part.value) == env:
                    found.append(ast.unparse(part))
    return found


def _keeps(statement: ast.stmt, seen: str) -> bool:
    """Whether a statement puts it aside: under another name, or into what is stored."""
    for one in walk(statement):
        if isinstance(one, ast.Assign) and _is_plainly(one.value, seen):
            return True
    return _stores(statement, seen) is not None


def _stores(statement: ast.stmt, seen: str) -> int | None:
    """The line that appends it to what is kept, or writes it into a place of an array."""
    for one in walk(statement):
        if isinstance(one, ast.Call) and name_of(one.func) in _STORES:
            parts = [
                part
                for argument in one.args
                for part in (argument.elts if isinstance(argument, ast.Tuple) else [argument])
            ]
            if any(_is_plainly(part, seen) for part in parts):
                return one.lineno
        placed = isinstance(one, ast.Assign) and any(isinstance(target, ast.Subscript) for target in one.targets)
        if placed and isinstance(one, ast.Assign) and _is_plainly(one.value, seen):
            return one.lineno
    return None


def _stores_target(before: list[ast.stmt], action: str) -> bool:
    """Whether an action is written into a place of an array as it is chosen."""
    return any(
        isinstance(one, ast.Assign) and any(isinstance(target, ast.Subscript) and ast.unparse(target) == action
                                            for target in one.targets)
        for each in before for one in walk(each)
    )  # fmt: skip


def _is_plainly(node: ast.AST, seen: str) -> bool:
    """Whether it is that value, or a copy or another form of it."""
    while isinstance(node, ast.Call) and name_of(node.func) in _COPIES:
        inner = node.func.value if isinstance(node.func, ast.Attribute) and not node.args else None
        node = inner or (node.args[0] if len(node.args) == 1 else ast.Constant(None))
    return ast.unparse(node) == seen


def _runs_on(value: ast.AST, name: str) -> bool:
    """Whether it is a reward and the discounted sum so far."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return False
    for one, other in ((value.left, value.right), (value.right, value.left)):
        words = own_words(other)
        reward = any(_REWARD.search(word) for word in own_words(one)) and name not in own_words(one)
        if reward and name in words and any(_DISCOUNT.search(word) for word in words):
            return True
    return False


def _is_kept(loop: ast.For, name: str) -> bool:
    return any(_stores(one, name) is not None for one in loop.body)


def _homes(scope: ast.AST) -> Iterator[ast.AST]:
    """Each function, and what stands outside of all."""
    functions = [one for one in walk(scope) if isinstance(one, _FUNCTION)]
    yield from functions
    if isinstance(scope, ast.Module):
        yield ast.Module([one for one in scope.body if not isinstance(one, _FUNCTION | ast.ClassDef)], [])


def _is_negative_step(node: ast.AST) -> bool:
    """Whether it goes backwards: [::-1], or range(…, -1, -1)."""
    step = node.step if isinstance(node, ast.Slice) else None
    if isinstance(node, ast.Call) and name_of(node.func) == "range" and len(node.args) == 3:
        step = node.args[2]
    return isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub)
