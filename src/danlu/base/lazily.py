"""Re-exports that are imported when they are first asked for, so that what is not used costs nothing.

A package whose `__init__.py` says `lazily(__name__)` offers what the stub beside it, `__init__.pyi`, imports: one list
for editors, type checkers and the running program (PEP 562 and PEP 484). `importlib.import_module` stands here and
nowhere else; the names it takes come from our own stubs, never from data.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


class LazyPackage(ModuleType):
    """A package that imports what its stub names when it is first asked for it."""

    __all__: list[str]
    _exports: dict[str, tuple[str, str]]

    def __getattr__(self, name: str) -> Any:
        place = self._exports.get(name)
        if place is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module, original = place
        if module == self.__name__:  # a folder of its own, as `nets` is one of danlu
            return importlib.import_module(f"{module}.{original}")
        value = getattr(importlib.import_module(module), original)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Python binds each submodule that was imported to its package; a re-export of the same name goes first."""
        module, _ = self._exports.get(name, ("", ""))
        if module not in ("", self.__name__) and value is sys.modules.get(f"{self.__name__}.{name}"):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._exports})


def lazily(package: str) -> None:
    """Let `package` offer what its `__init__.pyi` imports.

    >>> import danlu
    >>> danlu.Recipe.__name__, "fit" in dir(danlu), "fit" in danlu.__all__
    ('Recipe', True, True)
    """
    module = sys.modules[package]
    stub = Path(str(module.__file__)).with_suffix(".pyi")
    exports = dict(_exports(stub.read_text(encoding="utf-8")))
    module.__dict__["_exports"] = exports
    module.__dict__["__all__"] = [*exports]
    module.__class__ = LazyPackage


def _exports(stub: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a stub re-exports, with where it comes from: `from package.module import Name as Name`."""
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None and node.level == 0
            yield from ((name.asname or name.name, (node.module, name.name)) for name in node.names)
