"""Which branches of a piece of source are taken."""

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from danlu.watch.branches import arguments, taken


@pytest.mark.parametrize(
    ("source", "values", "left"),
    [
        ("a = b if fast else c", {"fast": False}, "a = c"),
        ("a = b if fast else c", {}, "a = b if fast else c"),
        ("a = b if not fast else c", {"fast": False}, "a = b"),
        ("a = b if mode == 'x' else c", {"mode": "x"}, "a = b"),
        ("a = b if args.fast else c", {"args": SimpleNamespace(fast=True)}, "a = b"),
        ("a = b if self.fast else c", {"self": SimpleNamespace(fast=True)}, "a = b if self.fast else c"),
        ("a = b if rows else c", {"rows": [1]}, "a = b if rows else c"),
        ("a = b if size > 'x' else c", {"size": 1}, "a = b if size > 'x' else c"),
        ("a = b if safe and fast else c", {"fast": False}, "a = c"),
        ("a = b if safe or fast else c", {"fast": False}, "a = b if safe or fast else c"),
        ("a = b if safe or fast else c", {"fast": True}, "a = b"),
        ("if fast:\n    a()", {"fast": False}, "pass"),
        ("fast = f()\na = b if fast else c", {"fast": True}, "fast = f()\na = b if fast else c"),
    ],
)
def test_only_plain_values_that_stay_rule_out_a_branch(source: str, values: dict[str, Any], left: str) -> None:
    tree = ast.parse(source)
    assert ast.unparse(taken(tree, values)) == left
    assert ast.unparse(tree) == ast.unparse(ast.parse(source))


class Agent:
    def __init__(self, masks: bool, steps: int = 3) -> None:
        self.masks, self.steps = masks, steps


AGENT = """class Agent:
    def __init__(self, masks):
        self.masks = masks
    def target(self, r, v, done):
        return v * (1 - done) if self.masks else v
    def update(self):
        {update}
"""


@pytest.mark.parametrize(
    ("update", "values", "pruned"),
    [
        ("pass", {"agent": Agent(masks=False)}, True),
        ("pass", {"trainer": SimpleNamespace(agent=Agent(masks=False))}, True),  # held by something else
        ("pass", {"one": Agent(masks=False), "other": Agent(masks=True)}, False),  # which of them is `self`?
        ("self.masks = True", {"agent": Agent(masks=False)}, False),  # it may change
        ("pass", {"agent": SimpleNamespace(masks=False)}, False),  # of another class
    ],
)
def test_in_a_class_its_only_object_rules_out_branches(update: str, values: dict[str, Any], pruned: bool) -> None:
    left = ast.unparse(taken(ast.parse(AGENT.format(update=update)), values))
    assert ("1 - done" not in left) is pruned


def test_a_method_alone_is_of_the_class_around_it() -> None:
    tree = ast.parse(AGENT.format(update="pass"))
    (kind,) = tree.body
    assert isinstance(kind, ast.ClassDef)
    method = kind.body[1]
    assert "1 - done" not in ast.unparse(taken(method, {"agent": Agent(masks=False)}, around=[method, kind, tree]))
    assert "1 - done" in ast.unparse(taken(method, {"self": Agent(masks=False)}))


def test_numbers_that_an_object_counts_rule_out_nothing() -> None:
    source = "class Agent:\n    def act(self):\n        return a if self.steps > 5 else b"
    assert "if self.steps > 5" in ast.unparse(taken(ast.parse(source), {"agent": Agent(masks=True)}))


CALLS = """def target(r, v, mask=True):
    return r + v if mask else r
class Loss:
    def __call__(self, x): pass
    def of(self, x, soft): return x if soft else 0
def train(fault):
    target(1, 2, {mask})
    Loss().of(3, soft=not fault)
def other():
    {elsewhere}
"""


@pytest.mark.parametrize(
    ("mask", "elsewhere", "known"),
    [
        ("not fault", "pass", {1: {"r": 1, "v": 2, "mask": False}, 5: {"x": 3, "soft": False}}),
        ("rows", "pass", {1: {"r": 1, "v": 2}, 5: {"x": 3, "soft": False}}),
        ("not fault", "target(4, 5)", {5: {"x": 3, "soft": False}}),  # of that call nothing is known
    ],
)
def test_arguments_that_are_the_same_in_all_calls(mask: str, elsewhere: str, known: dict[int, dict[str, Any]]) -> None:
    tree = ast.parse(CALLS.format(mask=mask, elsewhere=elsewhere))
    assert arguments(tree, [6], {"fault": True}) == known
    if mask == "not fault" and 1 in known:
        assert "return r\n" in ast.unparse(taken(tree, {}, arguments(tree, [6], {"fault": True}))) + "\n"
