"""The one door to starlette, which belongs to the extra `serve`, and what all our pages answer alike."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from danlu.base.errors import Fault, UserError
from danlu.base.words import LANGUAGES
from danlu.view.page.assets import asset


def web() -> Any:
    """What our applications need of starlette: Starlette, Response, Route, in_thread. UserError where it is missing."""
    try:
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response
        from starlette.routing import Route
    except ImportError as error:
        raise UserError(Fault("figure.needs-extra", {"part": "starlette", "extra": "serve"})) from error
    return SimpleNamespace(Starlette=Starlette, Response=Response, Route=Route, in_thread=run_in_threadpool)


def asked_language(request: Any, default: str) -> str:
    """The language that a page asks for, else that of the process."""
    asked = request.query_params.get("lang", "")
    return asked if asked in LANGUAGES else default


def static_file(request: Any, known: Collection[str]) -> Any:
    """One of the page's own scripts and styles."""
    parts, name = web(), request.path_params["name"]
    if name not in known:
        return parts.Response(status_code=404)
    return parts.Response(asset(name), media_type="text/css" if name.endswith(".css") else "text/javascript")
