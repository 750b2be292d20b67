"""The routes of a run that is tried out: one page, and what it sends to be answered. Nothing is kept."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from danlu.base.words import language, speaking
from danlu.serve.asking import Answer, number_in, object_in, question_routes
from danlu.serve.guard import AccessMiddleware, App
from danlu.serve.web import asked_language, static_file, web
from danlu.ship import RunOnTrial, read_strokes
from danlu.view.page.assets import CHART_SCRIPTS, STYLES, TRIAL_SCRIPTS, TRIAL_STYLE
from danlu.view.page.shell import trial_shell

_STATIC = {*CHART_SCRIPTS, *TRIAL_SCRIPTS, *STYLES, TRIAL_STYLE}
_MOST_PICTURE_BYTES = 20 * 2**20
_MOST_JSON_BYTES = 2**18
_MOST_POINTS = 10_000
_MOST_CHARACTERS = 2_000  # of a text
_MOST_ROWS = 100_000  # characters of the rows of a time series
_MOST_CELL = 500  # characters
_MOST_TOKENS = 1_000  # that a text goes on for
_MOST_TEMPERATURE = 10.0
_MOST_BEAM = 20
_MOST_SEED = 2**32
_Read = Callable[[RunOnTrial, bytes], Answer]


def _drawing(trial: RunOnTrial, body: bytes) -> Answer:
    return partial(trial.drawing, read_strokes(object_in(body, "strokes")["strokes"], _MOST_POINTS))


def _picture(trial: RunOnTrial, body: bytes) -> Answer:
    return partial(trial.picture, body)


def _row(trial: RunOnTrial, body: bytes) -> Answer:
    row: Any = object_in(body, "row")["row"]
    names = [field["name"] for field in trial.form()["fields"]]
    if not isinstance(row, dict) or cast(dict[str, Any], row).keys() != set(names):
        raise ValueError("a row has the columns of the form")
    cells = {name: cast(dict[str, Any], row)[name] for name in names}
    if not all(cell is None or (isinstance(cell, str) and len(cell) <= _MOST_CELL) for cell in cells.values()):
        raise ValueError("a cell is a short text or null")
    return partial(trial.row, cells)


def _text(trial: RunOnTrial, body: bytes) -> Answer:
    return partial(trial.text, _short_text(object_in(body, "text")["text"]))


def _source(trial: RunOnTrial, body: bytes) -> Answer:
    asked = object_in(body, "text", "beam")
    return partial(trial.source, _short_text(asked["text"]), beam=int(number_in(asked["beam"], 1, _MOST_BEAM)))


def _rows(trial: RunOnTrial, body: bytes) -> Answer:
    rows = object_in(body, "rows")["rows"]
    if not isinstance(rows, str) or len(rows) > _MOST_ROWS:
        raise ValueError("rows are a text")
    return partial(trial.rows, rows)


def _beginning(trial: RunOnTrial, body: bytes) -> Answer:
    asked = object_in(body, "text", "tokens", "temperature", "seed")
    return partial(
        trial.beginning,
        _short_text(asked["text"]),
        tokens=int(number_in(asked["tokens"], 1, _MOST_TOKENS)),
        temperature=number_in(asked["temperature"], 0, _MOST_TEMPERATURE),
        seed=int(number_in(asked["seed"], 0, _MOST_SEED)),
    )


_ASKED: dict[str, tuple[tuple[str, ...], int, _Read]] = {
    "/api/drawing": (("picture",), _MOST_JSON_BYTES, _drawing),
    "/api/picture": (("picture",), _MOST_PICTURE_BYTES, _picture),
    "/api/row": (("row", "numbers"), _MOST_JSON_BYTES, _row),
    "/api/text": (("text",), _MOST_JSON_BYTES, _text),
    "/api/source": (("source",), _MOST_JSON_BYTES, _source),
    "/api/rows": (("rows",), _MOST_JSON_BYTES, _rows),
    "/api/beginning": (("beginning",), _MOST_JSON_BYTES, _beginning),
}
"""By path: what kinds of run answer it, how many bytes it may have, and what reads it."""


def make_trial_app(trial: RunOnTrial, form: Mapping[str, Any], host: str, port: int, token: str) -> App:
    """The page of a trial as an ASGI application, behind its guard. UserError where starlette is missing."""
    parts = web()
    default = language()

    def spoken(request: Any) -> str:
        return asked_language(request, default)

    async def page(request: Any) -> Any:
        with speaking(spoken(request)):
            return parts.Response(trial_shell(form), media_type="text/html")

    async def static(request: Any) -> Any:
        return static_file(request, _STATIC)

    answered = {path: one for path, one in _ASKED.items() if form["takes"] in one[0]}
    if not form["draws"]:
        answered.pop("/api/drawing", None)
    routes: list[Any] = [parts.Route("/", page), parts.Route("/static/{name}", static)]
    routes += question_routes({path: partial(read, trial) for path, (_, _, read) in answered.items()}, spoken)
    taken = {path: most for path, (_, most, _) in answered.items()}
    return AccessMiddleware(parts.Starlette(routes=routes), host, port, token, command="danlu try", taken=taken)


def _short_text(found: Any) -> str:
    if not isinstance(found, str) or len(found) > _MOST_CHARACTERS:
        raise ValueError("a text is short")
    return found
