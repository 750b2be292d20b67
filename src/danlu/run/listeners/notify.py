"""Telling somebody elsewhere: a command or a webhook that hears of the end, a crash and the first grave finding."""

import contextlib
import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Fault, fail
from danlu.base.places import environment_with
from danlu.base.strict_json import to_json

WEB_SECONDS = 10.0  # that a webhook may take to answer
COMMAND_SECONDS = 30.0  # that a command may take
_GRACE = 2.0  # seconds that the end waits beyond these
_ADDRESSES = ("http://", "https://")

Note = Callable[[Fault], None]


@dataclass(frozen=True)
class Notifier:
    """Sends messages, JSON objects, to a webhook (`url`) or to a command (`words`, started without a shell); of the
    address nothing but its host is ever told, of the command nothing but its first word."""

    url: str = ""
    words: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """How it is called where something is said of it."""
        from urllib.parse import urlsplit

        return (urlsplit(self.url).hostname or "") if self.url else Path(self.words[0]).name

    @property
    def word(self) -> str:
        """What `notifier_of` makes the same of, in another process."""
        return self.url or (self.words[0] if os.name == "nt" else shlex.join(self.words))

    def send(self, message: Mapping[str, Any], variables: Mapping[str, str]) -> None:
        """Send one message, `variables` being the same in short for a command's environment. _NotToldError."""
        body = to_json(message).encode()
        if self.url:
            self._post(body)
        else:
            self._run(body, environment_with(variables))

    def _post(self, body: bytes) -> None:
        import http.client
        import urllib.error
        import urllib.request

        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "danlu"}
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - http(s), as checked
        try:
            with urllib.request.urlopen(request, timeout=WEB_SECONDS):  # noqa: S310 - likewise
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise _NotToldError(f"HTTP {error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:  # their words may hold the address
            reason = getattr(error, "reason", error)
            words = reason.strerror if isinstance(reason, OSError) else None
            raise _NotToldError(words or type(reason if isinstance(reason, Exception) else error).__name__) from None

    def _run(self, body: bytes, environment: dict[str, str]) -> None:
        words: Any = self.words[0] if os.name == "nt" and len(self.words) == 1 else list(self.words)
        quiet = subprocess.DEVNULL
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                words, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=environment, start_new_session=True
            )
        except OSError as error:
            raise _NotToldError(error.strerror or type(error).__name__) from None
        try:
            process.communicate(body, timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise _NotToldError(str(Fault("notify.too-long", {"seconds": f"{COMMAND_SECONDS:g}"}))) from None
        if process.returncode:
            raise _NotToldError(str(Fault("notify.exit-code", {"code": process.returncode})))


class _NotToldError(Exception):
    """Why a message did not arrive, in words without a secret."""


def notifier_of(given: object) -> Notifier | None:
    """What `--notify` and `notify=` name: an address that begins with http:// or https://, else a command, split as a
    shell would but started without one. UserError, which repeats neither, for what is no address and no command.

    >>> notifier_of("https://me:secret@hooks.example.org/T0").told
    'hooks.example.org'
    """
    if given is None:
        return None
    if not isinstance(given, str):
        fail("notify.not-text", found=type(given).__name__)
    if "://" in given.split(" ", maxsplit=1)[0]:
        return Notifier(url=_checked_address(given.strip()))
    if os.name == "nt":  # where the system itself splits
        words = (given.strip(),) if given.strip() else ()
        first = next(iter(shlex.split(given, posix=False)), "").strip('"')
    else:
        try:
            words = tuple(shlex.split(given))
        except ValueError:
            fail("notify.quotes")
        first = words[0] if words else ""
    if not words:
        fail("notify.empty")
    if shutil.which(first) is None:
        fail("notify.no-command", name=Path(first).name)
    return Notifier(words=words)


def _checked_address(url: str) -> str:
    from urllib.parse import urlsplit

    sound = url.lower().startswith(_ADDRESSES) and url.isascii() and not any(sign.isspace() for sign in url)
    if sound:
        try:
            parts = urlsplit(url)
            sound = bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
    if not sound:
        fail("notify.bad-address")
    return url


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a command with all that it started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg") and hasattr(signal, "SIGKILL"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=_GRACE)


class Postbox:
    """Sends messages one after the other from a thread of its own; the first failure is told, none is raised."""

    def __init__(self, notifier: Notifier, note: Note) -> None:
        self._notifier, self._note = notifier, note
        self._waiting: queue.SimpleQueue[tuple[dict[str, Any], dict[str, str]] | None] = queue.SimpleQueue()
        self._failed = False
        self._thread = threading.Thread(target=self._work, name="danlu-notify", daemon=True)
        self._began = False

    def put(self, message: dict[str, Any]) -> None:
        """Send that as soon as what came before it is sent."""
        if not self._began:
            self._thread.start()
            self._began = True
        short = {"event": message["event"], "state": message["state"], "name": message["name"]}
        short |= {"folder": message["folder"], "text": message["text"]}
        variables = {f"DANLU_{name.upper()}": str(value).replace("\0", "") for name, value in short.items()}
        self._waiting.put((message, variables))

    def close(self) -> None:
        """Wait until all is sent, no longer than one message may take."""
        if not self._began:
            return
        self._waiting.put(None)
        limit = (WEB_SECONDS if self._notifier.url else COMMAND_SECONDS) + _GRACE
        until = time.monotonic() + limit
        self._thread.join(limit)
        if self._thread.is_alive() and time.monotonic() >= until:
            self._tell(str(Fault("notify.too-long", {"seconds": f"{limit:g}"})))

    def _work(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            try:
                self._notifier.send(*waiting)
            except _NotToldError as error:
                self._tell(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
                self._tell(type(cast(object, error)).__name__)

    def _tell(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            self._note(Fault("notify.failed", {"target": self._notifier.told, "reason": reason}))
