"""Something to be done as soon as a module has been imported, by whoever imports it: until then it costs nothing."""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def when_imported(name: str, call: Callable[[], object]) -> None:
    """Call `call` once the module `name` is there: now, or right after it was imported.

    >>> when_imported("sys", lambda: print("is there"))
    is there
    """
    if name in sys.modules:
        call()
    else:
        sys.meta_path.insert(0, _Finder(name, call))


class _Finder(MetaPathFinder):
    """Finds one module, as others do, and lets its loader tell when it is done."""

    def __init__(self, name: str, call: Callable[[], object]) -> None:
        self._name = name
        self._call = call

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname != self._name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)
            return spec
        spec.loader = _Telling(spec.loader, spec, self._call)
        return spec


class _Telling(Loader):
    """The loader of a module, which is put back in its place before the module is carried out."""

    def __init__(self, loader: Any, spec: ModuleSpec, call: Callable[[], object]) -> None:
        self._loader = loader
        self._spec = spec
        self._call = call

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._call()
