"""A file of the user's own that makes nets: read, known by its SHA-256, and run because the user has named it.

This is the one door through which danlu runs code from a file. Nobody may come here with a name that the user has not
given, in the call, on the command line, in a recipe or by naming the run that was trained so.
"""

import ast
import functools
import hashlib
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from torch import nn

from danlu.base.errors import Fault, UserError, fail, nearest
from danlu.base.files import absolute
from danlu.base.input_files import path_kind, read_file
from danlu.base.memory import is_out_of_memory
from danlu.base.own_code import failing_line, file_and_maker, note_run, short_name
from danlu.base.places import shown
from danlu.base.seeds import global_seed

_CONTENTS: dict[str, bytes] = {}


@dataclass(frozen=True)
class OwnFile:
    """A file as it was read: its place, its bytes and their SHA-256 in 64 hex digits."""

    path: Path
    content: bytes
    sha256: str


def own_file(name: str) -> OwnFile:
    """The file of the net called `name`, read but not run. UserError where there is none, or `name` names nothing in
    it.
    """
    file, maker = file_and_maker(name) or (name, "")
    path = absolute(Path(file).expanduser())
    if path_kind(path) != "file":
        fail("nets.own-no-file", path=shown(path))
    content = read_file(path)
    if not maker.isidentifier():
        found = ", ".join(f"{path.name}:{one}" for one in _makers(content)) or "–"
        fail("nets.own-nothing-named", path=shown(path), found=found)
    return OwnFile(path, content, hashlib.sha256(content).hexdigest())


def own_maker(name: str, sha256: str | None = None) -> Callable[..., Any]:
    """The class or function that `name` stands for: the file is run, once for each content. UserError where it fails,
    has no such thing, or has another SHA-256 than the one it is to have.
    """
    file = own_file(name)
    if sha256 is not None and file.sha256 != sha256:
        told = {"path": shown(file.path), "found": file.sha256[:12], "wanted": str(sha256)[:12], "name": name}
        fail("nets.own-changed", **told)
    maker = (file_and_maker(name) or ("", ""))[1]
    module = _run(file.path, file.sha256, file.content)
    found = getattr(module, maker, None)
    own = _makers(file.content)
    if found is None:
        others = ", ".join(own) or "–"
        fail("nets.own-unknown", path=shown(file.path), name=maker, found=others, hint=nearest(maker, own))
    if not (isinstance(found, FunctionType) or (isinstance(found, type) and issubclass(found, nn.Module))):
        kind = "class" if isinstance(found, type) else type(found).__name__
        fail("nets.own-no-maker", name=short_name(name), found=kind)
    return found


def content_run(sha256: str | None) -> bytes | None:
    """The content of a file that this process has run, by its SHA-256; None where it has not."""
    return _CONTENTS.get(sha256 or "")


def telling_line(error: Exception, fault: Fault) -> Fault:
    """The fault with the file and the line of the user's own code that `error` came through; as it is where none is."""
    line = failing_line(error)
    if line is None:
        return fault
    return Fault("nets.own-line", {"file": Path(line[0]).name, "line": line[1], "what": fault})


def own_failure(error: BaseException, path: Path) -> Fault:
    """What the user's code raised, by file, line, kind and its own words."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line, words = error.lineno or 1, error.msg
    else:
        found = failing_line(error)
        line, words = (found[1] if found else 1), str(error).strip() or "–"
    told = {"file": path.name, "line": line, "error": type(error).__name__, "words": words}
    missing = error.name if isinstance(error, ModuleNotFoundError) and error.name else ""
    beside = missing and (path.parent / f"{missing.partition('.')[0]}.py").is_file()
    return Fault("nets.own-fails-alone", told) if beside else Fault("nets.own-fails", told)


@functools.cache
def _run(path: Path, sha256: str, content: bytes) -> ModuleType:
    """The module that the file makes. What it draws while it is run is the same each time."""
    module = ModuleType(f"danlu_own_{path.stem}_{sha256[:16]}")
    module.__file__ = str(path)
    note_run(path)
    _CONTENTS[sha256] = content
    linecache.checkcache(str(path))
    sys.modules[module.__name__] = module  # dataclasses and inspect look their module up
    try:
        with global_seed(0, "own-file"):
            exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - the user has named the file
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        if isinstance(error, UserError) or is_out_of_memory(error):
            raise
        raise UserError(own_failure(error, path)) from error
    return module


def _makers(content: bytes) -> list[str]:
    """The classes and functions at the top of a file, by name, without running it."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return []
    named = [node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    return [name for name in named if not name.startswith("_")]
