"""The dashboard as a server on this machine, until it is stopped."""

from pathlib import Path
from typing import ClassVar

from danlu.base.errors import fail
from danlu.base.files import absolute
from danlu.base.input_files import path_kind
from danlu.base.places import runs_folder, studies_folder
from danlu.serve.app import make_app
from danlu.serve.index import Index
from danlu.serve.listening import HOST, LOCAL, LocalPage


class Dashboard(LocalPage):
    """The runs and studies of a folder: whoever has its address can read these runs."""

    opened: ClassVar[str] = "serve.opened"
    exposed: ClassVar[str] = "serve.exposed"


def view(
    folder: str | Path | None = None,
    *,
    host: str = HOST,
    port: int | None = None,
    browser: bool = True,
    read_only: bool = False,
) -> None:
    """Show the runs and studies under `folder` (else runs/ and studies/) in the browser, those still going on as well,
    until Ctrl-C.

    Listens on 127.0.0.1 alone unless `host` says otherwise; on `port`, else on the first free one from 8765 on.
    Its reader can write notes and delete runs, unless it is `read_only` or listens elsewhere than on this machine.
    Raises UserError where there is no such folder, no free port, or a part is missing that the extra `serve` brings.
    """
    open_dashboard(folder, host=host, port=port, read_only=read_only).show(browser=browser)


def open_dashboard(
    folder: str | Path | None = None, *, host: str = HOST, port: int | None = None, read_only: bool = False
) -> Dashboard:
    """What `view` serves, listening but not serving yet."""
    index, writable = index_of(folder), host in LOCAL and not read_only
    return Dashboard.open(
        index.folder, host, port, lambda bound, token: make_app(index, host, bound, token, writable=writable)
    )


def index_of(folder: str | Path | None) -> Index:
    """The index of a folder, else of runs/ and studies/. UserError where there is none."""
    if folder is None:
        usual = [place for place in (runs_folder(), studies_folder()) if place.is_dir()]
        if not usual:
            fail("serve.no-runs", folders=f"{runs_folder()}, {studies_folder()}")
        return Index(absolute("."), [place.name for place in usual])
    if path_kind(folder) != "folder":
        fail("serve.no-folder", folder=folder)
    return Index(Path(folder))
