"""The standard streams as the command line finds them: closed, on a full disk, or a pipe that nobody reads."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

_refused: dict[int, str | None] = {}  # how each stream treated signs that its encoding lacks, by its id


def open_streams() -> None:
    """Open what is closed of standard input, output and error, and let no sign be refused for its encoding.

    A file opened later would else take the number of a closed one, and what is meant for the terminal would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (as long as the program runs)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            _refused.setdefault(id(stream), stream.errors)
            stream.reconfigure(errors="replace")


def as_python_opened() -> None:
    """Let signs be refused as they were before `open_streams`: for a program that is not danlu's."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and id(stream) in _refused:
            stream.reconfigure(errors=_refused[id(stream)])


def put_out(show: Callable[[], None]) -> str:
    """Let `show` write to standard output; why it could not, and "" where it could, or where the reader (a pager, head)
    has seen enough. What was to be shown is over by then: a training has ended and is saved.
    """
    try:
        show()
        sys.stdout.flush()
    except OSError as error:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    return ""
