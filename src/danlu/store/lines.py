"""From a line of a journal to the object that stands in it; what it means is not known here."""

import json
from typing import Any, cast

_DEEPEST = 40


def entry_of(line: bytes) -> dict[str, Any] | None:
    """The object that a line holds; None where it is broken, no object, or nested deeper than any record.

    >>> entry_of(b'{"kind": "checkpoint", "step": 100}'), entry_of(b'{"kind": "check')
    ({'kind': 'checkpoint', 'step': 100}, None)
    """
    try:
        entry = json.loads(line)
        if b"\\u" in line:
            entry = _whole_text(entry)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or (line.count(b"[") + line.count(b"{") > _DEEPEST and not _is_shallow(entry)):
        return None
    return cast(dict[str, Any], entry)


def _whole_text(value: Any) -> Any:
    """The same with half a surrogate pair in any text replaced by "?": no file and no page can hold it."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        entries = cast(dict[Any, Any], value).items()
        return {_whole_text(key): _whole_text(entry) for key, entry in entries}
    return [_whole_text(entry) for entry in cast(list[Any], value)] if isinstance(value, list) else value


def _is_shallow(value: Any, depth: int = 0) -> bool:
    if not isinstance(value, list | dict):
        return True
    below = cast(dict[Any, Any], value).values() if isinstance(value, dict) else cast(list[Any], value)
    nested = (entry for entry in below if isinstance(entry, list | dict))
    return depth < _DEEPEST and all(_is_shallow(entry, depth + 1) for entry in nested)
