"""What is told while work goes on, on standard error: it may fail to arrive, and never ends the work."""

import contextlib
import io
import sys
from typing import IO, cast

_LOST = (OSError, ValueError, AttributeError)  # refused by the system; closed; taken away, so that it is None


class SteadyError(io.TextIOBase):
    """Standard error as it is at each moment; where it is closed, broken or on a full disk, what is written is lost.

    >>> print("3 of 20 epochs", file=SteadyError())
    """

    def write(self, text: str, /) -> int:
        with contextlib.suppress(*_LOST):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(*_LOST):
            sys.stderr.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        try:
            return sys.stderr.isatty()
        except (ValueError, AttributeError):
            return False

    def fileno(self) -> int:
        try:
            return sys.stderr.fileno()
        except (ValueError, AttributeError):
            raise io.UnsupportedOperation("fileno") from None

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return getattr(sys.stderr, "encoding", None) or "utf-8"


def steady_error() -> IO[str]:
    """The stream that a console writes to."""
    return cast(IO[str], SteadyError())


def tell(text: str) -> None:
    """One line on standard error, where it can be had."""
    error = SteadyError()
    error.write(text + "\n")
    error.flush()
