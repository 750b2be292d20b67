"""Work done in a forked child, which may hang, die or eat memory without harm to whoever waits for it."""

import contextlib
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dying import forked

MOST_BYTES = 6 * 2**30  # of memory a child may have


@dataclass(frozen=True)
class Ended:
    """How a child ended: "answered", with what it answered, "hung" (and was killed) or "died" without an answer."""

    state: str
    value: Any = None
    printed: str = ""  # on standard output and error


def in_child(work: Callable[[], Any], place: Path, seconds: float) -> Ended:
    """Carry out `work` in a child whose working folder is `place`, for so many seconds at most; what it returns must be
    plain values. What it prints goes into a file beside `place`.
    """
    printed = place.with_name(f"{place.name}.printed")
    reading, writing = os.pipe()
    child = start(lambda: _answer(work, place, printed, writing))
    os.close(writing)
    answer, hung = _until_end(reading, time.monotonic() + seconds)
    os.close(reading)
    end_group(child)
    os.waitpid(child, 0)
    told = printed.read_text(errors="replace") if printed.exists() else ""
    if hung:
        return Ended("hung", printed=told)
    return Ended("answered", json.loads(answer), told) if answer else Ended("died", printed=told)


def start(work: Callable[[], None]) -> int:
    """A child that does `work`, the first of a group of its own; its process id."""

    def leading() -> None:
        os.setpgid(0, 0)
        work()

    return forked(leading)


def end_group(child: int) -> None:
    """Kill the child with all that it started."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(child, signal.SIGKILL)


def quiet(printed: Path) -> None:
    """Let this process read nothing, and write what it prints to a file."""
    files = (
        (0, os.devnull, os.O_RDONLY),
        (1, printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        (2, printed, os.O_WRONLY),
    )
    for number, path, flags in files:
        os.dup2(os.open(path, flags | (os.O_APPEND if number else 0)), number)


def _answer(work: Callable[[], Any], place: Path, printed: Path, writing: int) -> None:
    quiet(printed)
    os.chdir(place)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    content = json.dumps(work()).encode()
    while content:
        content = content[os.write(writing, content) :]


def _until_end(reading: int, deadline: float) -> tuple[bytes, bool]:
    """All that comes before the end of the pipe; whether the deadline came first."""
    gathered = b""
    while (left := deadline - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            block = os.read(reading, 2**16)
            if not block:
                return gathered, False
            gathered += block
    return gathered, True
