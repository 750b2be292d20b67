"""Out of memory, whoever says so and however: one error that tells what to lower, and what is kept."""

import contextlib
import re
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, UserError
from danlu.base.places import shown

# Words of torch (CPU on Linux and Windows, CUDA, cuBLAS, MPS, workers of a loader), of C++ and of Python's threads.
_SAID = re.compile(
    r"out of (shared )?memory|(can't|cannot|not) allocate memory|not enough memory|insufficient shared memory"
    r"|alloc_failed|bad_alloc|can't start new thread",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"tried to allocate ([\d.]+) ?([a-z]+)", re.IGNORECASE)


class OutOfMemoryError(UserError):
    """Something took more memory than there is; what had been saved stands."""

    def about(self, folder: Path | None) -> "OutOfMemoryError":
        """The same, told of the run or the study in `folder`; None: of none."""
        return OutOfMemoryError(*(Fault(one.id, {**one.values, "kept": _kept(folder)}) for one in self.faults))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is out.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."))
    True
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and bool(_SAID.search(str(error)))


@contextlib.contextmanager
def memory_guard(doing: str, folder: Path | None = None, **values: Any) -> Generator[None]:
    """Around work that takes memory: where that is out, OutOfMemoryError says what can be lowered. The phrases
    memory.lower-`doing` say what, filled with `values`; `folder` holds the run or study that can go on.

    What the work still held is let go first, so that there is room to tell.

    >>> with contextlib.suppress(OutOfMemoryError), memory_guard("any"):
    ...     raise MemoryError
    """
    try:
        yield
    except OutOfMemoryError as error:
        if folder is None:
            raise
        raise error.about(folder) from error
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)
        lower = Fault(f"memory.lower-{doing}", values)
        facts = {"request": _request(str(error)), "lower": lower, "kept": _kept(folder)}
        raise OutOfMemoryError(Fault("memory.out", facts)) from error


def _request(said: str) -> Fault | str:
    """How much was asked for in vain, where the error tells."""
    match = _REQUEST.search(said)
    if match is None:
        return ""
    number, unit = float(match.group(1)), match.group(2).lower()
    size = f"{number / 2**20:,.0f} MiB" if unit.startswith("byte") else f"{match.group(1)} {match.group(2)}"
    return Fault("memory.request", {"size": size})


def _kept(folder: Path | None) -> Fault | str:
    return "" if folder is None else Fault("memory.kept", {"folder": shown(folder)})
