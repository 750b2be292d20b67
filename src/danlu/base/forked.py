"""Processes forked from one whose polars has worked: its threads are not forked along, and who waits for them hangs."""

from danlu.base.errors import fail
from danlu.base.fork_watch import polars_works


def refuse_forked() -> None:
    """To be asked before polars is given work. UserError where that would hang: in a process that was forked from one
    in which polars had worked already.
    """
    if not polars_works():
        fail("files.forked")
