"""The one door to starlette, which belongs to the extra `serve`."""

from types import SimpleNamespace
from typing import Any

from danlu.base.errors import Fault, UserError


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
