"""A disk that is full at the first, the second, the third … write: what was there stays, one sentence tells it, and
with room again it goes on to the same end.
"""

import errno
import io
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import danlu
from attack.actions import ACTIONS, FIT, RATES, Action, undisturbed_end
from attack.tally import Tally
from danlu.base.places import OVERVIEW_VARIABLE

OPERATIONS = ("write", "mkdir", "replace", "fsync")
EVERY = {"fit": 1, "compare": 8, "search": 8, "cure": 10}  # each of so many operations is refused, for want of time
WANTED = "one sentence or a note; with room again it goes on to the same end"


class Disk:
    """Fills up at the k-th call of one operation, and stays full until `room`; `left` counts down to it."""

    def __init__(self, operation: str, k: int, place: Path) -> None:
        self.operation, self.left, self.place, self.full = operation, k, place, False

    def refuse(self) -> None:
        """Called before every operation of the kind: raises once the disk is full."""
        self.left -= 1
        if self.left <= 0:
            self.full = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def in_use(self) -> Generator[None]:
        real, opened = getattr(os, self.operation), io.open

        def refusing(*arguments: Any, **keywords: Any) -> Any:
            if self.operation != "write" or arguments[0] > 2:
                self.refuse()
            return real(*arguments, **keywords)

        def opening(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
            if set(mode) & set("wax+") and str(file).startswith(str(self.place)):
                self.refuse()
            return opened(file, mode, *arguments, **keywords)

        patches = [mock.patch.object(os, self.operation, refusing)]
        if self.operation == "write":  # what is written through Python's own files
            patches.append(mock.patch.object(io, "open", opening))
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    tallies: list[Tally] = []
    for action in ACTIONS:
        if action is RATES:
            continue  # writes nothing
        base = place / action.name
        base.mkdir(parents=True)
        wanted = undisturbed_end(action, base)
        number = EVERY[action.name]
        which = "every" if number == 1 else f"every {number}th"
        tally = Tally(f"disk full at {which} write of {action.name}", wanted=WANTED)
        for operation in OPERATIONS:
            every = max(1, round(number / share))
            k = 1 + part * every
            # A run's poster takes longer than these trainings: drawn where all else has been written.
            for poster in ("0", "1") if action is FIT else ("0",):
                with mock.patch.dict(os.environ, {OVERVIEW_VARIABLE: poster}):
                    while _filled(tally, action, base, operation, k, wanted):
                        k += every * parts
        tallies.append(tally)
    return tallies


def _filled(tally: Tally, action: Action, base: Path, operation: str, k: int, wanted: Any) -> bool:
    """Try it with the `k`-th operation refused, and all after it; False where there are not so many."""
    folder, disk = base / f"{operation}-{k}", Disk(operation, k, base)
    fault = _told(lambda: _within(disk, action, folder))
    if not disk.full:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    fault = fault or _fault(action, folder, wanted)
    tally.add("bad" if fault else "good", f"{operation} {k}: {fault}" if fault else "")
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _within(disk: Disk, action: Action, folder: Path) -> None:
    with disk.in_use():
        action.go(folder)


def _told(work: Callable[[], object]) -> str:
    try:
        work()
    except danlu.UserError as error:
        return "" if str(error).strip() else "refused without a word"
    except BaseException as error:  # noqa: BLE001  (what it may be is what is looked for)
        return f"{type(error).__name__}: {error}"
    return ""


def _fault(action: Action, folder: Path, wanted: Any) -> str:
    """With room again: it goes on, or begins anew, and ends as it would have."""
    try:
        action.go(folder)
        found = action.end(folder)
    except Exception as error:  # noqa: BLE001  (what it may be is what is looked for)
        return f"then {type(error).__name__}: {error}"
    return "" if found == wanted else f"then ends with {str(found)[:200]}"
