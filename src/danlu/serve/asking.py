"""Pages that ask: what they send is read by strict readers, answered one question at a time, and never kept."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from danlu.base.errors import DanluError
from danlu.base.strict_json import to_json
from danlu.base.words import say, speaking
from danlu.serve.web import web

_MOST_REASON = 500  # characters
_MOST_WAITING = 8  # questions: each is answered alone, on all cores
Answer = Callable[[], Mapping[str, Any]]
Read = Callable[[bytes], Answer]
"""Reads what was sent; ValueError for what the page would never send."""


def question_routes(questions: Mapping[str, Read], spoken: Callable[[Any], str]) -> list[Any]:
    """The routes that answer `questions`, by their paths; `spoken` is the language of a request. Where too many wait,
    a further one is put off."""
    parts = web()
    one_at_a_time, waiting = asyncio.Lock(), [0]

    def answering(read: Read) -> Callable[[Any], Any]:
        async def answer(request: Any) -> Any:
            body = await request.body()
            if waiting[0] >= _MOST_WAITING:
                return parts.Response(status_code=503)
            waiting[0] += 1
            try:
                async with one_at_a_time:
                    told = await parts.in_thread(_told, read, body, spoken(request))
            finally:
                waiting[0] -= 1
            if told is None:
                return parts.Response(status_code=400)
            return parts.Response(to_json(told), media_type="application/json")

        return answer

    return [parts.Route(path, answering(read), methods=["POST"]) for path, read in questions.items()]


def _told(read: Read, body: bytes, spoken: str) -> Mapping[str, Any] | None:
    """The answer, or the sentence that says why there is none; None for what the page would never send."""
    try:
        answer = read(body)
    except (ValueError, RecursionError):
        return None
    with speaking(spoken):
        try:
            return answer()
        except DanluError as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001  (the net may be anybody's code)
            return {"error": say("serve.try-failed", kind=type(error).__name__, reason=str(error)[:_MOST_REASON])}


def object_in(body: bytes, *keys: str) -> dict[str, Any]:
    """The JSON object with just these keys. ValueError for anything else."""
    found: Any = json.loads(body)
    if not isinstance(found, dict) or cast(dict[str, Any], found).keys() != set(keys):
        raise ValueError("an object with other keys")
    return cast(dict[str, Any], found)


def number_in(found: Any, low: float, high: float) -> float:
    """The number `found`. ValueError where it is none, or not within its bounds."""
    if isinstance(found, bool) or not isinstance(found, int | float) or not low <= found <= high:
        raise ValueError("a number is within its bounds")
    return float(found)
