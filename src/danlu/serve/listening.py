"""A page that this machine serves to its own reader, until it is stopped."""

import errno
import ipaddress
import os
import socket
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from danlu.base.counts import as_found, is_whole
from danlu.base.errors import Fault, UserError, fail
from danlu.base.places import has_screen
from danlu.base.secret import secret
from danlu.base.words import say
from danlu.serve.guard import App

HOST, PORT = "127.0.0.1", 8765
LOCAL = ("127.0.0.1", "localhost", "::1")
_PORTS_TRIED = 20
_HIGHEST_PORT = 65535
_WAITING = 64  # readers at the door while one is answered
_PATIENCE = 5.0  # seconds for a request to come whole
_YIELDING = 10  # niceness: a training on the same machine comes first


@dataclass(frozen=True)
class LocalPage:
    """A page about `folder` that listens already, and answers as soon as it serves.

    `address` is what to open: it holds the word that lets its reader in, so whoever has it is let in.
    """

    opened: ClassVar[str]  # the phrases that say where it is open, and that others can reach it too
    exposed: ClassVar[str]

    folder: Path
    host: str
    address: str
    server: Any
    listening: socket.socket

    @classmethod
    def open(cls, folder: Path, host: str, port: int | None, make: Callable[[int, str], App]) -> Self:
        """The page of the application that `make` makes of its port and the word that lets a reader in."""
        listening = listen(host, port)
        try:
            bound, token = int(listening.getsockname()[1]), secret()
            server = make_server(make(bound, token))
        except BaseException:
            listening.close()
            raise
        return cls(folder, host, f"http://{_named(host)}:{bound}/start?token={token}", server, listening)

    @property
    def told(self) -> str:
        """Where it is open, and to whom, in the language in force."""
        opened = say(self.opened, folder=self.folder, address=self.address)
        return opened if self.host in LOCAL else f"{opened}\n{say(self.exposed, host=self.host)}"

    def serve(self, *, browser: bool = False) -> None:
        """Answer until Ctrl-C; `browser` opens the address in the reader's own, where there is one with windows."""
        try:
            if browser and has_screen():
                webbrowser.open(self.address)
            if hasattr(os, "nice"):
                os.nice(_YIELDING)
            self.server.run(sockets=[self.listening])
        except KeyboardInterrupt:
            pass
        finally:
            self.listening.close()

    def show(self, *, browser: bool) -> None:
        """Print where it is, and serve."""
        sys.stdout.write(self.told + "\n")
        sys.stdout.flush()
        self.serve(browser=browser)


def make_server(app: Any) -> Any:
    """The server of an ASGI application. UserError where uvicorn is missing."""
    try:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise UserError(Fault("figure.needs-extra", {"part": "uvicorn", "extra": "serve"})) from error
    # One reader after the other is quick enough; nothing of the server's own is told to anybody.
    quiet: dict[str, Any] = {"log_level": "error", "access_log": False, "server_header": False}
    return uvicorn.Server(uvicorn.Config(app, **quiet, lifespan="off", ws="none", http=_prompt(H11Protocol)))


def _prompt(protocol: Any) -> Any:
    """The protocol, but that a connection whose request is not whole within seconds is dropped, however it drips."""

    class Prompt(protocol):
        _deadline: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            if self._deadline is None and self._is_open():
                self._wait()
            super().data_received(data)
            if not self._is_open():
                self._stop_waiting()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _is_open(self) -> bool:
            return str(self.conn.their_state) in ("IDLE", "SEND_BODY")

        def _wait(self) -> None:
            self._deadline = self.loop.call_later(_PATIENCE, self.transport.abort)

        def _stop_waiting(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = None

    return Prompt


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens on `port`, or on the first free one."""
    if port is not None and not (is_whole(port) and 0 <= port <= _HIGHEST_PORT):
        fail("serve.bad-port", port=as_found(port), highest=_HIGHEST_PORT)
    tried = [port] if port is not None else range(PORT, PORT + _PORTS_TRIED)
    problem = ""
    for number in tried:
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            listening = socket.socket(family, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            fail("serve.bad-address", host=host, reason=_reason(error))
        try:
            if os.name != "nt":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, number))
            listening.listen(_WAITING)
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRNOTAVAIL:
                fail("serve.bad-address", host=host, reason=_reason(error))
            problem = _reason(error)
        else:
            return listening
    ports = str(port) if port is not None else f"{PORT}-{PORT + _PORTS_TRIED - 1}"
    raise UserError(Fault("serve.no-port", {"host": host, "port": ports, "reason": problem}))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _named(host: str) -> str:
    """The host as it stands in an address."""
    try:
        if ipaddress.ip_address(host).is_unspecified:
            return HOST
    except ValueError:
        return host
    return f"[{host}]" if ":" in host else host
