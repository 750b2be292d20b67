"""Runs a program as Python itself would: the same `__main__`, arguments, paths, traceback and exit code."""

# What `python -m` itself calls has no public name, and neither has the traceback of an exception a public way to be
# shortened by frames in its middle but this.
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false, reportUnknownMemberType=false

import atexit
import contextlib
import importlib.machinery
import io
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from danlu.base.errors import fail, nearest
from danlu.base.input_files import path_kind

_OURS = str(Path(__file__).parents[2]) + os.sep


@dataclass(frozen=True)
class UserScript:
    """A script, or a module that is run with `-m`; `arguments` are those that follow it."""

    name: str
    is_module: bool
    arguments: tuple[str, ...]

    @property
    def stem(self) -> str:
        """Its name for a folder.

        >>> UserScript("tools/train.py", False, ()).stem, UserScript("tools.train", True, ()).stem
        ('train', 'train')
        """
        return self.name.rpartition(".")[2] if self.is_module else Path(self.name).stem


def find_program(words: Sequence[str]) -> UserScript:
    """The program that `words` name: a file and its arguments, or -m, a module and its arguments. UserError where there
    is none."""
    if not words or words[0] == "-m":
        if len(words) < 2:
            fail("lab.run-what")
        return UserScript(words[1], True, tuple(words[2:]))
    kind = path_kind(words[0])
    if kind != "file":
        path = Path(words[0])
        beside = (one.name for one in path.parent.glob("*.py")) if path.parent.is_dir() else ()
        fail("lab.run-no-file" if kind == "missing" else "lab.run-folder", path=path, hint=nearest(path.name, beside))
    return UserScript(words[0], False, tuple(words[1:]))


def carry_out(program: UserScript, ended: Callable[[BaseException | None], object]) -> int:
    """Run the program as `__main__`, and call `ended` behind it with the exception that ended it; the exit code.

    An exception is told as Python would tell it, danlu's own frames left out.
    """
    _as_python_has_them()
    interrupted: list[BaseException] = []
    atexit.register(_end_by_interrupt, interrupted)  # before what the program registers, so that it comes last
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    stopped: BaseException | None = None
    try:
        if program.is_module:
            _begin_path(str(Path.cwd()))
            sys.argv = ["-m", *program.arguments]
            runpy._run_module_as_main(program.name)
        else:
            _run_file(program, main)
    except BaseException as error:  # noqa: BLE001 - whatever ends it is told, and passed on below
        stopped = error
    _call_behind(ended, stopped)
    if isinstance(stopped, SystemExit):
        return _exit_code(stopped.code)
    if isinstance(stopped, KeyboardInterrupt):
        interrupted.append(stopped)
    return 0 if stopped is None else _told(stopped)


def _run_file(program: UserScript, main: ModuleType) -> None:
    path = str(Path(program.name).absolute())
    _begin_path(str(Path(path).resolve().parent))
    sys.argv = [program.name, *program.arguments]
    facts: dict[str, Any] = {
        "__file__": path,
        "__builtins__": sys.modules["builtins"],
        "__loader__": importlib.machinery.SourceFileLoader("__main__", path),
        "__annotations__": {},
    }
    main.__dict__.update(facts)
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, main.__dict__)  # noqa: S102 - what `danlu run` was asked to run


def _begin_path(folder: str) -> None:
    """The first entry of sys.path, which is that of the program and not of danlu's own command."""
    if not sys.flags.safe_path:
        sys.path[:1] = [folder]


def _as_python_has_them() -> None:
    """Signals as they are when Python starts: the command line has taken them over."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _call_behind(ended: Callable[[BaseException | None], object], stopped: BaseException | None) -> None:
    """What is done behind the program can fail or be interrupted; the program's own end is told all the same."""
    try:
        ended(stopped)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
        traceback.print_exception(error)


def _told(error: BaseException) -> int:
    """Tell an exception by the program's own hook; the exit code."""
    _leave_out_ours(error, set())
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    hook = sys.excepthook
    hook(type(error), error, error.__traceback__)
    return 1


def _exit_code(code: Any) -> int:
    """That of `sys.exit(code)`; a text is told."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)  # noqa: T201 - as Python does
    return 1


def _end_by_interrupt(interrupted: Sequence[BaseException]) -> None:
    """As Python ends after an interrupt that nobody caught: a shell sees that it was one."""
    if not interrupted or os.name != "posix":
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _leave_out_ours(error: BaseException | None, seen: set[int]) -> None:
    """Take danlu's own frames out of the traceback of an exception, and of those that led to it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = _shortened(error.__traceback__)
    for other in (error.__cause__, error.__context__):
        _leave_out_ours(other, seen)


def _shortened(trace: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_OURS):
            kept.append(trace)
        trace = trace.tb_next
    for one, following in zip(kept, [*kept[1:], None], strict=False):
        one.tb_next = following
    return kept[0] if kept else None
