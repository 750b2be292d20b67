"""Processes forked from one whose polars has worked: its threads are not forked along, and who waits for them hangs."""

import os
import re
from pathlib import Path

from danlu.base.errors import fail

_THREADS = Path("/proc/self/task")
_state = {"worked": False, "forked": False}


def refuse_forked() -> None:
    """To be asked before polars is given work. UserError where that would hang: in a process that was forked from one
    in which polars had worked already.
    """
    if _state["forked"]:
        fail("files.forked")
    _state["worked"] = True


def _look() -> None:
    # Where the system lists its threads, a polars that only others have imported, or that never worked, does no harm.
    if _THREADS.is_dir():
        _state["worked"] = any(re.fullmatch(r"polars-\d+", _name(thread)) for thread in _THREADS.iterdir())


def _name(thread: Path) -> str:
    try:
        return (thread / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it has ended
        return ""


def _forked() -> None:
    _state["forked"] = _state["forked"] or _state["worked"]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_look, after_in_child=_forked)
