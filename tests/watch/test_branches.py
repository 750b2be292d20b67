"""Which branches of a piece of source are taken."""

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from danlu.watch.branches import taken


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
        ("if fast:\n    a()", {"fast": False}, "pass"),
        ("fast = f()\na = b if fast else c", {"fast": True}, "fast = f()\na = b if fast else c"),
    ],
)
def test_only_plain_values_that_stay_rule_out_a_branch(source: str, values: dict[str, Any], left: str) -> None:
    tree = ast.parse(source)
    assert ast.unparse(taken(tree, values)) == left
    assert ast.unparse(tree) == ast.unparse(ast.parse(source))
