"""The dashboard as a server on this machine, until it is stopped."""

import errno
import ipaddress
import os
import socket
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.counts import as_found, is_whole
from danlu.base.errors import Fault, UserError, fail
from danlu.base.files import absolute
from danlu.base.input_files import path_kind
from danlu.base.places import has_screen, runs_folder, studies_folder
from danlu.base.seeds import secret
from danlu.base.words import say
from danlu.serve.app import make_app
from danlu.serve.index import Index

HOST, PORT = "127.0.0.1", 8765
_LOCAL = ("127.0.0.1", "localhost", "::1")
_PORTS_TRIED = 20
_HIGHEST_PORT = 65535
_WAITING = 64  # readers at the door while one is answered
_PATIENCE = 5.0  # seconds for a request to come whole
_YIELDING = 10  # niceness: a training on the same machine comes first


@dataclass(frozen=True)
class Dashboard:
    """A dashboard that listens already, and answers as soon as it serves.

    `address` is what to open: it holds the word that lets its reader in, so whoever has it can read these runs.
    """

    folder: Path
    host: str
    address: str
    server: Any
    listening: socket.socket

    @property
    def told(self) -> str:
        """Where it is open, and to whom, in the language in force."""
        opened = say("serve.opened", folder=self.folder, address=self.address)
        return opened if self.host in _LOCAL else f"{opened}\n{say('serve.exposed', host=self.host)}"

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


def view(
    folder: str | Path | None = None,
    *,
    host: str = HOST,
    port: int | None = None,
    browser: bool = True,
) -> None:
    """Show the runs and studies under `folder` (else runs/ and studies/) in the browser, those still going on as well,
    until Ctrl-C.

    Listens on 127.0.0.1 alone unless `host` says otherwise; on `port`, else on the first free one from 8765 on.
    Raises UserError where there is no such folder, no free port, or a part is missing that the extra `serve` brings.
    """
    dashboard = open_dashboard(folder, host=host, port=port)
    sys.stdout.write(dashboard.told + "\n")
    sys.stdout.flush()
    dashboard.serve(browser=browser)


def open_dashboard(folder: str | Path | None = None, *, host: str = HOST, port: int | None = None) -> Dashboard:
    """What `view` serves, listening but not serving yet."""
    index = _index(folder)
    listening = _listen(host, port)
    try:
        bound = int(listening.getsockname()[1])
        token = secret()
        server = _server(make_app(index, host, bound, token))
    except BaseException:
        listening.close()
        raise
    return Dashboard(index.folder, host, f"http://{_named(host)}:{bound}/start?token={token}", server, listening)


def _index(folder: str | Path | None) -> Index:
    if folder is None:
        usual = [place for place in (runs_folder(), studies_folder()) if place.is_dir()]
        if not usual:
            fail("serve.no-runs", folders=f"{runs_folder()}, {studies_folder()}")
        return Index(absolute("."), [place.name for place in usual])
    if path_kind(folder) != "folder":
        fail("serve.no-folder", folder=folder)
    return Index(Path(folder))


def _server(app: Any) -> Any:
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


def _listen(host: str, port: int | None) -> socket.socket:
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
