"""A source file of the house, parsed once, whatever is asked of it; nothing of it is run."""

import ast
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RUNNING = {"__import__", "eval", "exec"}


@dataclass(frozen=True)
class Module:
    """One source file; `path` counts from src/danlu."""

    path: Path
    text: str

    @classmethod
    def read(cls, file: Path, package: Path) -> "Module":
        return cls(file.relative_to(package), file.read_text(encoding="utf-8"))

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @functools.cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """Those that `ast.walk` gives, but for the marks of a name that is read or written; in half its time."""
        found: list[ast.AST] = [self.tree]
        for node in found:
            for value in vars(node).values():
                if isinstance(value, list):
                    found += [one for one in value if isinstance(one, ast.AST)]
                elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                    found.append(value)
        return found

    @functools.cached_property
    def imports(self) -> Sequence[tuple[ast.Import | ast.ImportFrom, str]]:
        """Every import statement, with each dotted name that it takes."""
        statements = (node for node in self.nodes if isinstance(node, ast.Import | ast.ImportFrom))
        return tuple((node, name) for node in statements for name in imported(node))

    @functools.cached_property
    def classes(self) -> Sequence[str]:
        """The classes that stand at the top."""
        return tuple(node.name for node in self.tree.body if isinstance(node, ast.ClassDef))

    @functools.cached_property
    def mentions(self) -> Sequence[tuple[ast.AST, str]]:
        """Every import, and every use of what was imported, by its full dotted name, whatever alias it goes by."""
        return tuple(_mentions(self.nodes))

    def let_go(self) -> "Module":
        """Keep what the rules over all files ask for; the rest of what was parsed is large."""
        assert self.imports is not None and self.classes is not None and self.mentions is not None
        for large in ("tree", "nodes"):
            self.__dict__.pop(large, None)
        return self

    @property
    def folder(self) -> str:
        return self.path.parts[0] if len(self.path.parts) > 1 else ""

    def at(self, node: ast.AST, words: str) -> str:
        return f"{self.path.as_posix()}:{getattr(node, 'lineno', 1)}: {words}"


def imported(node: ast.AST) -> list[str]:
    """Dotted names that an import statement takes; for `from a import b` that is a.b."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module or ''}.{name.name}" for name in node.names]
    return []


def is_under(name: str, tops: Iterable[str]) -> bool:
    return any(name == top or name.startswith(f"{top}.") for top in tops)


def _mentions(nodes: Sequence[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    aliases: dict[str, str] = {}
    for node in nodes:
        for entry, name in zip(getattr(node, "names", ()), imported(node), strict=False):
            aliases[entry.asname or entry.name.partition(".")[0]] = name if entry.asname else _bound(node, name)
            yield node, name
    for node in nodes:
        name = dotted(node)
        if name:
            first, dot, rest = name.partition(".")
            if first in aliases:
                yield node, aliases[first] + dot + rest
            elif name in RUNNING:
                yield node, name


def _bound(node: ast.AST, name: str) -> str:
    return name.partition(".")[0] if isinstance(node, ast.Import) else name


def dotted(node: ast.AST) -> str:
    """A name or a chain of attributes of one, as it is written; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""
