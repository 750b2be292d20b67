"""Whether this process was forked from one in which polars had worked; watched from the first import of danlu on."""

import os
import re
from pathlib import Path

_THREADS = Path("/proc/self/task")
_state = {"worked": False, "forked": False}


def polars_works() -> bool:
    """To be called before polars is given work: False where it would wait for threads that were not forked along."""
    if _state["forked"]:
        return False
    _state["worked"] = True
    return True


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
