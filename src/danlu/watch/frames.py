"""The line of the user's code from which something was called: the first frame that is neither ours nor a library's."""

# There is no public name for the frames of whoever calls. In this file alone they are touched.
# pyright: reportPrivateUsage=false

import re
import sys
import sysconfig
from collections.abc import Collection, Mapping
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, cast

import torch
from torch import nn

from danlu.base.records import CodeLine

_INSTALLED = {"site-packages", "dist-packages"}
_LIBRARIES = tuple(
    Path(place).resolve()
    for place in (
        Path(__file__).parents[1],
        Path(torch.__file__).parent,
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
    )
)
# Code that somebody typed or handed to exec; other names in angle brackets are those of code that libraries make.
_TYPED = re.compile(r"<(stdin|string|console|input|python-input-\d+|ipython-input-.*)>$")
_GENERATED = ("<lambda>", "__init__", "__new__", "__create_fn__")  # of data classes and named tuples, in "<string>"
_NUMBERED_CELL = re.compile(r"<ipython-input-(\d+)-")
_CELL = re.compile(r"[/\\]ipykernel_\d+[/\\]")

_LABELS = re.compile(r"^(y|ys|yb|labels?|targets?|gold|truth)$|^(y|labels?|targets?)_|_(y|labels?|targets?)$")
_ANSWERS = re.compile(r"hat|pred|out|logit|prob|score|guess", re.IGNORECASE)
_MOST_FRAMES = 48
_CALLERS = 4  # of the user's functions that are asked
_MOST_FIELDS = 64  # of an object
_BETWEEN = (str(Path(__file__).parent), str(Path(torch.__file__).parent))  # what stands between a call and its hearing

_theirs: dict[str, bool] = {}  # by name of the file


def calling_line(leave_out: Collection[str] = ()) -> CodeLine | None:
    """The innermost line under way that stands in the user's code, with the file as the interpreter names it; None
    where no such code is running in this thread. Functions of the qualified names in `leave_out` are passed over."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        made = code.co_filename == "<string>" and code.co_name in _GENERATED
        if is_theirs(code.co_filename) and not made and code.co_qualname not in leave_out:
            return CodeLine(code.co_filename, frame.f_lineno or code.co_firstlineno)
        frame = frame.f_back
    return None


def lines_under_way() -> list[CodeLine]:
    """The lines of the user's code that are under way in this thread, one a call, the innermost first."""
    lines: list[CodeLine] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_theirs(frame.f_code.co_filename):
            lines.append(CodeLine(frame.f_code.co_filename, frame.f_lineno or frame.f_code.co_firstlineno))
        frame = frame.f_back
    return lines


def raising_line(trace: TracebackType | None) -> CodeLine | None:
    """The innermost line of the user's code that an exception came through."""
    found: CodeLine | None = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if is_theirs(file):
            found = CodeLine(file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def names_of(objects: Collection[Any]) -> dict[int, str]:
    """By the id of each of these objects the variable, or the attribute of `self`, that holds it in the user's code."""
    names: dict[int, str] = {}
    wanted = {id(one) for one in objects}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_theirs(frame.f_code.co_filename):
            own = getattr(frame.f_locals.get("self"), "__dict__", {})
            for space in (frame.f_locals, frame.f_globals, own):
                for name, value in list(space.items()):
                    if id(value) in wanted:
                        names.setdefault(id(value), name)
        frame = frame.f_back
    return names


def labels_under_way(count: int) -> torch.Tensor | None:
    """The `count` class labels that the user's function that called a net has beside its inputs, or one around it, by
    their name; None where it has none, or several, and where a library's loop made that call."""
    frame: FrameType | None = sys._getframe(1)
    asked = 0
    while frame is not None and asked < _CALLERS:
        code = frame.f_code
        theirs = is_theirs(code.co_filename)
        if not theirs and (asked or not code.co_filename.startswith(_BETWEEN)):
            return None
        if theirs:
            asked += 1
            named = {name: frame.f_globals[name] for name in code.co_names if name in frame.f_globals}
            found = {id(value): value for name, value in {**named, **frame.f_locals}.items()
                     if _are_labels(name, value, count)}  # fmt: skip
            if found:
                return next(iter(found.values())) if len(found) == 1 else None
        frame = frame.f_back
    return None


def held_under_way(names: re.Pattern[str]) -> list[tuple[str, Any]]:
    """What the user's functions under way hold by names that match: their variables, and the fields of a batch or an
    object that these are; the innermost one first."""
    found: list[tuple[str, Any]] = []
    frame: FrameType | None = sys._getframe(1)
    asked = 0
    while frame is not None and asked < _CALLERS:
        code = frame.f_code
        if is_theirs(code.co_filename):
            asked += 1
            words = (*code.co_names, *code.co_varnames, *(one for one in code.co_consts if isinstance(one, str)))
            if any(names.search(word) for word in words):
                for name, value in list(frame.f_locals.items()):
                    each = [(name, value), *_fields(value)]
                    found += [(word, one) for word, one in each if names.search(word)]
        frame = frame.f_back
    return found


def _fields(value: Any) -> list[tuple[str, Any]]:
    """The named parts of a batch: of a dict, a named tuple, or an object that is no net."""
    if isinstance(value, torch.nn.Module | torch.Tensor | type | ModuleType | FunctionType):
        return []
    if isinstance(value, dict):
        held = cast(dict[Any, Any], value)
    elif isinstance(value, tuple):
        named: Any = getattr(value, "_fields", ())  # pyright: ignore[reportUnknownArgumentType]
        held = dict(zip(named, cast(tuple[Any, ...], value), strict=False))
    else:
        held = cast(dict[Any, Any], getattr(value, "__dict__", {}))
    return [(name, one) for name, one in list(held.items())[:_MOST_FIELDS] if isinstance(name, str)]


def direct_pass(modules: Mapping[int, nn.Module]) -> tuple[FrameType, nn.Module] | None:
    """The `forward` of one of these modules, by id, that somebody runs without calling the module, and which calls its
    parts just now: the outermost one, and its module."""
    frame: FrameType | None = sys._getframe(1)
    found: tuple[FrameType, nn.Module] | None = None
    for _ in range(_MOST_FRAMES):
        if frame is None:
            break
        code = frame.f_code
        if code.co_name == "forward" and code.co_argcount:
            module = modules.get(id(frame.f_locals.get(code.co_varnames[0])))
            if module is not None and getattr(type(module).forward, "__code__", None) is code:
                found = frame, module
        frame = frame.f_back
    return found


def given_to(frame: FrameType) -> dict[str, Any]:
    """The arguments of a function that has begun, by name, but for the first; as they are now."""
    code, known = frame.f_code, frame.f_locals
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    return {name: known[name] for name in names if name in known}


def _are_labels(name: str, value: Any, count: int) -> bool:
    if not _LABELS.search(name) or _ANSWERS.search(name) or type(value) is not torch.Tensor:
        return False
    return value.dim() == 1 and len(value) == count and value.dtype in (torch.int64, torch.int32, torch.uint8)


def values_under_way(file: str) -> dict[str, Any]:
    """What the names mean in the code of that file that is running in this thread, those of the innermost function
    before those around it. The dict is the caller's; what it holds is the user's."""
    values: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == file:
            values = {**frame.f_globals, **frame.f_locals, **values}
        frame = frame.f_back
    return values


def is_theirs(file: str) -> bool:
    """Whether a file is the user's: neither danlu's or torch's, nor installed, nor one of Python itself.

    >>> is_theirs("/home/me/train.py"), is_theirs(torch.__file__), is_theirs("<frozen runpy>"), is_theirs("<stdin>")
    (True, False, False, True)
    """
    known = _theirs.get(file)
    if known is None:
        known = _theirs[file] = _is_theirs(file)
    return known


def _is_theirs(file: str) -> bool:
    if file.startswith("<"):
        return bool(_TYPED.match(file))
    path = Path(file)
    if _INSTALLED.intersection(path.parts):
        return False
    try:
        whole = path.resolve()
    except (OSError, RuntimeError):
        whole = path
    return not any(whole.is_relative_to(library) for library in _LIBRARIES)


def is_cell(file: str) -> bool:
    """Whether it is what a notebook calls one of its cells.

    >>> is_cell("/tmp/ipykernel_71/1234.py"), is_cell("<ipython-input-3-0a1b>"), is_cell("train.py")
    (True, True, False)
    """
    return bool(_CELL.search(file) or _NUMBERED_CELL.match(file))


def as_read(line: CodeLine) -> CodeLine:
    """The same line with a cell by its number, "In[3]"; "In[]" where the notebook does not tell it.

    >>> as_read(CodeLine("<ipython-input-3-0a1b>", 5))
    CodeLine(file='In[3]', line=5)
    """
    if not is_cell(line.file):
        return line
    numbered = _NUMBERED_CELL.match(line.file)
    if numbered:
        return CodeLine(f"In[{numbered[1]}]", line.line)
    asked = getattr(sys.modules.get("IPython"), "get_ipython", None)
    known = getattr(getattr(asked() if asked else None, "compile", None), "format_code_name", None)
    label: Any = known(line.file) if known else None  # ("Cell", "In[3]")
    name = re.search(r"In\[\d+\]", str(label))
    return CodeLine(name[0] if name else "In[]", line.line)
