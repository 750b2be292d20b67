"""JSON as every parser takes it: the one place where danlu writes any.

JSON has no NaN and no infinity, yet Python writes them as bare words on which browsers and other readers fail. Here a
number that is not finite becomes the string "NaN", "Infinity" or "-Infinity", and `number` reads it back. Reading is
Python's own `json.loads`, which takes the bare words too: danlu 0.1 wrote some.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, cast

_SPOKEN = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_TAG = "not-finite"


def to_json(value: Any, indent: int | None = None) -> str:
    """Strict JSON, on one line unless `indent` is given, that UTF-8 can hold. TypeError for what JSON has no form for.

    Numbers of NumPy and PyTorch are written as numbers, paths as strings, half of a surrogate pair as "?".

    >>> to_json({"loss": float("nan")})
    '{"loss": "NaN"}'
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except (ValueError, TypeError):
        text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=indent)
    # What a terminal would obey stands as its escape, which every parser reads as the same sign.
    text = _OBEYED.sub(lambda sign: f"\\u{ord(sign.group()):04x}", text)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def checksum(content: Mapping[str, Any]) -> str:
    """32 hex digits that stand beside what was written, so that a file is known to be whole: the same after reading.

    >>> checksum({"loss": float("nan")}) == checksum(json.loads(to_json({"loss": float("nan")})))
    True
    """
    return hashlib.sha256(to_json(content).encode()).hexdigest()[:32]


def number(value: Any) -> float:
    """The number that `to_json` wrote. TypeError or ValueError for what is none.

    >>> number("-Infinity")
    -inf
    """
    if isinstance(value, str):
        if value not in _SPOKEN:
            raise ValueError(f"{value[:40]!r} is no number")
        return _SPOKEN[value]
    if isinstance(value, bool):
        raise TypeError("True and False are no numbers")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("the number is too large") from error


def to_exact_json(value: Any) -> str:
    """Strict JSON in ASCII from which `from_exact_json` makes the very same value. TypeError where that cannot be.

    >>> to_exact_json({"best": float("inf")})
    '{"best": {"not-finite": "Infinity"}}'
    """
    text = json.dumps(_tagged(value), allow_nan=False)
    if repr(from_exact_json(text)) != repr(value):  # repr, because NaN is not equal to itself
        raise TypeError("the value holds a tuple, a key that is no string, or something else that JSON changes")
    return text


def from_exact_json(text: str) -> Any:
    """What `to_exact_json` wrote.

    >>> from_exact_json('{"best": {"not-finite": "Infinity"}}')
    {'best': inf}
    """
    return json.loads(text, object_hook=_untagged)


def canonical_json(value: Any) -> str:
    """A text for a hash and for no reader: the same for equal values, whatever the order of their keys.

    >>> canonical_json({"b": 1, "a": 2})
    '{"a": 2, "b": 1}'
    """
    return json.dumps(value, sort_keys=True, default=str)


def _spoken(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _spoken(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in cast(list[Any], value)]
    if isinstance(value, PurePath):
        return str(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _plain(value.item())
    return value


def _tagged(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {_TAG: _spoken(value)}
    if isinstance(value, dict):
        return {key: _tagged(entry) for key, entry in cast(dict[Any, Any], value).items()}
    if isinstance(value, list):
        return [_tagged(entry) for entry in cast(list[Any], value)]
    return value


def _untagged(found: dict[str, Any]) -> Any:
    return _SPOKEN[found[_TAG]] if found.keys() == {_TAG} else found
