"""How this process answers signals, which is the user's own affair."""

import contextlib
import signal
import threading
from collections.abc import Generator


@contextlib.contextmanager
def signals_kept() -> Generator[None]:
    """After the block signals are answered as before: launchers and clusters answer them in their own way, and never
    put back what was there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in signal.valid_signals()}
    try:
        yield
    finally:
        for one, handler in before.items():
            if handler is not None and signal.getsignal(one) != handler:
                signal.signal(one, handler)
