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
