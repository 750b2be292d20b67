"""Processes that are killed on purpose: forked from one that has imported all, from outside or inside a save."""

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

from danlu.base import files


def forked(work: Callable[[], None]) -> int:
    """Run `work` in a child; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:  # noqa: BLE001  (the child must not return into its parent's code, whatever happens)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def die_inside_a_save(moment: int) -> None:
    """Make the `moment`-th file operation from now the last thing this process does, half done where it can be."""
    left = moment

    def counted(operation: Callable[..., None], half: Callable[..., None] | None) -> Callable[..., None]:
        def replacement(*arguments: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                if half:
                    half(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)
            operation(*arguments)

        return replacement

    def half_written(path: Path, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])

    files.write_file = counted(files.write_file, half_written)
    files.sync_folder = counted(files.sync_folder, None)
    files.rename = counted(files.rename, None)
