"""What benchmarks and slow tests import from danlu is there: a name that moved is missed at once, not when they run."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [file for folder in ("benchmarks", "tests", ".ci") for file in sorted((ROOT / folder).rglob("*.py"))]
# Statements alone are parsed, also those of programs that stand in a text.
TAKING = re.compile(r"^[ \t]*(from danlu[\w.]* import (?:\([^)]*\)|[^\n(]+))", re.MULTILINE)

OLDER = {("danlu.store.history", "History"), ("danlu.store.journal", "read")}  # bench_journal.py runs older danlus too


def borrowed(text: str) -> set[tuple[str, str]]:
    """Module and name of everything that a source takes from danlu."""
    nodes = [node for found in TAKING.findall(text) for node in ast.parse(found).body]
    return {(node.module or "", name.name) for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names}


def is_there(module: str, name: str) -> bool:
    if hasattr(importlib.import_module(module), name):
        return True
    try:
        importlib.import_module(f"{module}.{name}")
    except ImportError:
        return False
    return True


def test_every_borrowed_name_is_there() -> None:
    wanted = {taken: file.name for file in FILES for taken in borrowed(file.read_text(encoding="utf-8"))}
    assert len(wanted) > 300
    asked = sorted((taken, file) for taken, file in wanted.items() if taken not in OLDER)
    assert [(file, *taken) for taken, file in asked if not is_there(*taken)] == []


def test_a_name_that_moved_is_seen() -> None:
    (taken,) = borrowed("from danlu.base.errors import no_such_name")
    assert not is_there(*taken)


@pytest.mark.parametrize(
    "text", ["from danlu.a import (\n    b,  # one\n    c as d,\n)\n", "if x:\n    from danlu.a import b, c"]
)
def test_statements_are_read_in_any_form(text: str) -> None:
    assert borrowed(f"import danlu\n{text}") == {("danlu.a", "b"), ("danlu.a", "c")}
