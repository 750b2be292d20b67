"""The routes that write: notes and the trash. The guard lets through only what the page itself sends."""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from danlu.base.errors import DanluError
from danlu.base.strict_json import to_json
from danlu.base.words import say, speaking
from danlu.serve.edits import Edits
from danlu.serve.web import web

_MOST_BYTES = 2**18
_MOST_AT_ONCE = 1_000
WRITTEN = {"/api/notes": _MOST_BYTES, "/api/trash": _MOST_BYTES, "/api/restore": _MOST_BYTES}
"""The paths to which something may be sent, and how many bytes."""


def write_routes(edits: Edits, spoken: Callable[[Any], str], done: Callable[[], None]) -> list[Any]:
    """The routes over the edits of an index; `spoken` is the language of a request, `done` is called after each."""
    parts = web()

    def carried_out(do: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
        async def answer(request: Any) -> Any:
            body = await request.body()
            told = await parts.in_thread(_told, do, body, spoken(request))
            done()
            if told is None:
                return parts.Response(status_code=400)
            return parts.Response(to_json(told), media_type="application/json")

        return answer

    def trash(_: Any) -> Any:
        return parts.Response(to_json({"trash": _trash(edits)}), media_type="application/json")

    def note(asked: Any) -> dict[str, Any]:
        edits.note(_changes(asked))
        return {}

    def delete(asked: Any) -> dict[str, Any]:
        return {"trash": [{"id": one.id, "name": one.name} for one in edits.delete(_ids(asked))]}

    def restore(asked: Any) -> dict[str, Any]:
        return {"restored": edits.restore(_ids(asked))}

    return [
        parts.Route("/api/trash", trash),
        parts.Route("/api/notes", carried_out(note), methods=["POST"]),
        parts.Route("/api/trash", carried_out(delete), methods=["POST"]),
        parts.Route("/api/restore", carried_out(restore), methods=["POST"]),
    ]


def _trash(edits: Edits) -> list[dict[str, str]]:
    return [{"id": one.id, "name": one.name} for one in edits.trashed()]


def _told(do: Callable[[Any], dict[str, Any]], body: bytes, language: str) -> dict[str, Any] | None:
    """What was done, or the sentence that says why not; None for what the page would never send."""
    with speaking(language):
        try:
            return do(json.loads(body))
        except KeyError:
            return {"error": say("page.problem-gone")}
        except DanluError as error:
            return {"error": str(error)}
        except (ValueError, RecursionError):
            return None


def _ids(asked: Any) -> list[str]:
    """The ids in `{"ids": [...]}`. ValueError for anything else."""
    ids: Any = cast(dict[str, Any], asked).get("ids") if isinstance(asked, dict) else None
    if not isinstance(ids, list) or not 0 < len(cast(list[Any], ids)) <= _MOST_AT_ONCE:
        raise ValueError("some ids")
    if not all(isinstance(id, str) for id in cast(list[Any], ids)):
        raise ValueError("an id is a text")
    return cast(list[str], ids)


def _changes(asked: Any) -> Mapping[str, Mapping[str, Any]]:
    """The notes by id in `{"changes": {...}}`. ValueError for anything else."""
    found: Any = cast(dict[str, Any], asked).get("changes") if isinstance(asked, dict) else None
    if not isinstance(found, dict) or not 0 < len(cast(dict[str, Any], found)) <= _MOST_AT_ONCE:
        raise ValueError("some changes")
    if not all(isinstance(change, dict) for change in cast(dict[str, Any], found).values()):
        raise ValueError("changes are notes by their names")
    return cast(dict[str, dict[str, Any]], found)
