"""The dashboard as a server on this machine, until it is stopped."""

import os
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, UserError, fail
from danlu.base.places import runs_folder, studies_folder
from danlu.base.seeds import secret
from danlu.serve.app import make_app
from danlu.serve.shelf import Shelf

HOST, PORT = "127.0.0.1", 8765
_PORTS_TRIED = 20
_YIELDING = 10  # niceness: a training on the same machine comes first


def view(
    folder: str | Path | None = None,
    *,
    host: str = HOST,
    port: int | None = None,
    browser: bool = True,
    told: Callable[[str], None] = print,
) -> None:
    """Show the runs and studies under `folder` (runs/ and studies/) in the browser, those still going on as well, until Ctrl-C.

    Listens on 127.0.0.1 alone unless `host` says otherwise; on `port`, else on the first free one from 8765 on. `told`
    gets the address to open, which holds the word that lets its reader in. Raises UserError where there is no such
    folder, no free port, or a part is missing that `pip install 'danlu[serve]'` brings.
    """
    shelf = _shelf(folder)
    listening = _listen(host, port)
    bound = int(listening.getsockname()[1])
    token = secret()
    try:
        server = _server(make_app(shelf, host, bound, token))
        address = f"http://{_named(host)}:{bound}/start?token={token}"
        told(address)
        if browser:
            webbrowser.open(address)
        _yield()
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()


def _shelf(folder: str | Path | None) -> Shelf:
    if folder is None:
        usual = [place for place in (runs_folder(), studies_folder()) if place.is_dir()]
        if not usual:
            fail("serve.no-runs", folders=f"{runs_folder()}, {studies_folder()}")
        return Shelf(Path.cwd(), [place.name for place in usual])
    if not Path(folder).is_dir():
        fail("serve.no-folder", folder=folder)
    return Shelf(Path(folder))


def _server(app: Any) -> Any:
    try:
        import uvicorn
    except ImportError as error:
        raise UserError(Fault("figure.needs-extra", {"part": "uvicorn", "extra": "serve"})) from error
    # One reader after the other is quick enough; nothing of the server's own is told to anybody.
    options = uvicorn.Config(app, log_level="error", access_log=False, server_header=False, lifespan="off", ws="none")
    return uvicorn.Server(options)


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens on `port`, or on the first free one."""
    tried = [port] if port is not None else range(PORT, PORT + _PORTS_TRIED)
    problem: OSError | None = None
    for number in tried:
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            listening = socket.socket(family, socket.SOCK_STREAM)
        except (OSError, UnicodeError, OverflowError) as error:
            fail("serve.bad-address", host=host, port=number, reason=error)
        try:
            if os.name != "nt":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, number))
        except (OSError, OverflowError) as error:
            listening.close()
            problem = error if isinstance(error, OSError) else OSError(str(error))
        else:
            listening.listen(64)
            return listening
    fail("serve.no-port", host=host, port=port or PORT, reason=problem.strerror or problem if problem else "")


def _named(host: str) -> str:
    """The host as it stands in an address."""
    if host in ("0.0.0.0", "::"):
        return HOST
    return f"[{host}]" if ":" in host else host


def _yield() -> None:
    if hasattr(os, "nice"):
        os.nice(_YIELDING)
