"""The routes that read: one page, its scripts, and what it asks for. Those that write are in writing.py."""

import math
from collections.abc import Callable
from typing import Any

from danlu.base.secret import secret
from danlu.base.words import language, speaking
from danlu.serve.api import Api
from danlu.serve.edits import Edits
from danlu.serve.guard import AccessMiddleware, App
from danlu.serve.index import Index
from danlu.serve.web import asked_language, static_file, web
from danlu.serve.writing import WRITTEN, write_routes
from danlu.view.curves_page import POINTS
from danlu.view.info.axes import AXES, STEP
from danlu.view.info.curves import CurveQuery
from danlu.view.listing.query import ListQuery
from danlu.view.page.assets import CHART_SCRIPTS, DASHBOARD_SCRIPTS, STYLES
from danlu.view.page.shell import shell

_STATIC = {*CHART_SCRIPTS, *DASHBOARD_SCRIPTS, *STYLES}
_MOST_COMPARED = 40
_MOST_POINTS = 200_000  # of a curve, for who wants all of them
_LONGEST = 1e6  # steps that a curve is smoothed over
Spoken = Callable[[Any], str]
"""From a request to the language that it is answered in."""
Ask = Callable[[Any, str, str], bytes | None]
"""From a request, a language and the version that its reader has to the answer; None where that is the newest."""


def make_app(index: Index, host: str, port: int, token: str, *, writable: bool = False) -> App:
    """The dashboard of an index as an ASGI application, behind its guard. UserError where starlette is missing."""
    api = Api(index, writable=writable)
    word = secret() if writable else ""
    default = language()

    def spoken(request: Any) -> str:
        return asked_language(request, default)

    routes = _page_routes(word, spoken) + _read_routes(api, spoken)
    if writable:
        routes += write_routes(Edits(index), spoken, api.forget)
    taken = WRITTEN if writable else {}
    return AccessMiddleware(web().Starlette(routes=routes), host, port, token, taken=taken, word=word)


def _page_routes(word: str, spoken: Spoken) -> list[Any]:
    parts = web()

    def page(request: Any) -> Any:
        with speaking(spoken(request)):
            return parts.Response(shell(word), media_type="text/html")

    def static(request: Any) -> Any:
        return static_file(request, _STATIC)

    return [parts.Route("/", page), parts.Route("/static/{name}", static)]


def _read_routes(api: Api, spoken: Spoken) -> list[Any]:
    parts = web()

    def answering(ask: Ask) -> Callable[[Any], Any]:
        def answer(request: Any) -> Any:
            try:
                content = ask(request, spoken(request), request.query_params.get("have", ""))
            except KeyError:
                return parts.Response(status_code=404)
            return (
                parts.Response(status_code=204)
                if content is None
                else parts.Response(content, media_type="application/json")
            )

        return answer

    def net(request: Any) -> Any:
        try:
            return parts.Response(api.net(request.path_params["id"], spoken(request)), media_type="image/svg+xml")
        except Exception:  # noqa: BLE001  (a graph that cannot be drawn is none, whatever stands in it)
            return parts.Response(status_code=404)

    def complete(request: Any) -> Any:
        expression, place = request.query_params.get("where", ""), _place(request)
        place = len(expression) if place < 0 else place
        return parts.Response(api.complete(expression, place), media_type="application/json")

    return [
        parts.Route("/api/list", answering(lambda asked, language, have: api.list(language, have, _query(asked)))),
        parts.Route("/api/complete", complete),
        parts.Route(
            "/api/run/{id}", answering(lambda asked, language, have: api.run(asked.path_params["id"], language, have))
        ),
        parts.Route("/api/run/{id}/net.svg", net),
        parts.Route(
            "/api/moment/{id}",
            answering(lambda asked, language, _: api.moment(asked.path_params["id"], _place(asked), language)),
        ),
        parts.Route(
            "/api/study/{id}",
            answering(lambda asked, language, have: api.study(asked.path_params["id"], language, have)),
        ),
        parts.Route(
            "/api/compare", answering(lambda asked, language, have: api.compare(_compared(asked), language, have))
        ),
        parts.Route(
            "/api/curves",
            answering(
                lambda asked, language, have: api.curves(
                    _compared(asked), _wanted(asked), _banded(asked), language, have
                )
            ),
        ),
    ]


def _wanted(request: Any) -> CurveQuery:
    """What is wanted of curves; what makes no sense counts as not said."""
    axis, smooth = request.query_params.get("axis", STEP), _number(request, "smooth")
    low, high, most = (_number(request, name) for name in ("low", "high", "most"))
    return CurveQuery(
        axis if axis in AXES else STEP,
        None if smooth is None else min(max(smooth, 0.0), _LONGEST),
        -math.inf if low is None else low,
        math.inf if high is None else high,
        int(min(max(most or POINTS, POINTS), _MOST_POINTS)),
    )


def _place(request: Any) -> int:
    """The whole number that is asked "at"; -1 where it is none."""
    at = request.query_params.get("at", "")
    return int(at) if at.isascii() and at.isdigit() and len(at) < 6 else -1


def _banded(request: Any) -> bool | None:
    return {"1": True, "0": False}.get(request.query_params.get("bands", ""))


def _number(request: Any, name: str) -> float | None:
    try:
        value = float(request.query_params.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _query(request: Any) -> ListQuery:
    return ListQuery.of(request.query_params)


def _compared(request: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(request.query_params.get("runs", "").split(",")))[:_MOST_COMPARED]
