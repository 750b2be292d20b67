"""The routes of the playground: one page, the moves that it sends, and how far they are. Nothing is kept."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from danlu.base.words import language, speaking
from danlu.serve.asking import Answer, number_in, object_in, question_routes
from danlu.serve.guard import AccessMiddleware, App
from danlu.serve.web import asked_language, static_file, web
from danlu.view.page.assets import CHART_SCRIPTS, PLAY_SCRIPTS, PLAY_STYLE, STYLES
from danlu.view.page.shell import play_shell

_STATIC = {*CHART_SCRIPTS, *PLAY_SCRIPTS, *STYLES, PLAY_STYLE}
_MOST_BYTES = 2**12
_MOST_COUNTED = 2**53
_MOST_CLASSES = 1_000


class Playing(Protocol):
    """Settings to try, and what they do: that of `danlu play`, which trains and so stands above this folder."""

    @property
    def called(self) -> str: ...

    def form(self) -> Mapping[str, Any]: ...

    def move(self, sent: Mapping[str, Any]) -> Mapping[str, Any]: ...

    def now(self, have: int, plane: int, shown: int) -> Mapping[str, Any]: ...

    def close(self) -> None: ...


def make_play_app(playground: Playing, host: str, port: int, token: str) -> App:
    """The page of a playground as an ASGI application, behind its guard. UserError where starlette is missing."""
    parts = web()
    default = language()

    def spoken(request: Any) -> str:
        return asked_language(request, default)

    def page(request: Any) -> Any:
        with speaking(spoken(request)):
            return parts.Response(play_shell(playground.form()), media_type="text/html")

    def static(request: Any) -> Any:
        return static_file(request, _STATIC)

    questions = {"/api/move": _move(playground), "/api/now": _now(playground)}
    routes = [parts.Route("/", page), parts.Route("/static/{name}", static), *question_routes(questions, spoken)]
    taken = dict.fromkeys(questions, _MOST_BYTES)
    return AccessMiddleware(parts.Starlette(routes=routes), host, port, token, command="danlu play", taken=taken)


def _move(playground: Playing) -> Callable[[bytes], Answer]:
    def read(body: bytes) -> Answer:
        chosen: Any = object_in(body, "chosen")["chosen"]
        if not isinstance(chosen, dict):
            raise ValueError("what is chosen is an object")
        told = playground.move(chosen)  # takes no time, and refuses what was not offered
        return lambda: told

    return read


def _now(playground: Playing) -> Callable[[bytes], Answer]:
    def read(body: bytes) -> Answer:
        asked = object_in(body, "have", "plane", "shown")
        have, plane = (int(number_in(asked[name], 0, _MOST_COUNTED)) for name in ("have", "plane"))
        shown = int(number_in(asked["shown"], 0, _MOST_CLASSES))
        return lambda: playground.now(have, plane, shown)

    return read
