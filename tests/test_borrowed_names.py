"""What benchmarks and slow tests import from danlu is there: a name that moved is missed at once, not when they run."""

import ast
import importlib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [file for folder in ("benchmarks", "tests", ".ci") for file in sorted((ROOT / folder).rglob("*.py"))]


def borrowed(text: str) -> set[tuple[str, str]]:
    """Module and name of everything that a source takes from danlu."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    taken = [(node.module or "", name.name) for node in nodes for name in node.names]
    return {(module, name) for module, name in taken if module.partition(".")[0] == "danlu"}


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
    assert [(file, *taken) for taken, file in sorted(wanted.items()) if not is_there(*taken)] == []


def test_a_name_that_moved_is_seen() -> None:
    (taken,) = borrowed("from danlu.base.errors import no_such_name")
    assert not is_there(*taken)
