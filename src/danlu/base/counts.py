"""Numbers that a caller or a command line gives beside a recipe: what is none, or beyond all reason, is a fault."""

import math
from numbers import Integral, Real
from typing import Any, SupportsInt, cast

from danlu.base.errors import Faults

_LONGEST = 60


def check_count(faults: Faults, key: str, found: object, least: int, most: int) -> bool:
    """Whether `found` is a whole number from `least` to `most`; a fault where it is not. True and False are none.

    >>> check_count(Faults(), "points", 48, 8, 1000), check_count(Faults(), "points", 10**9, 8, 1000)
    (True, False)
    """
    if is_whole(found) and least <= int(cast(SupportsInt, found)) <= most:
        return True
    faults.add("base.not-a-count", key=key, found=as_found(found), least=f"{least:,}", most=f"{most:,}")
    return False


def check_above(faults: Faults, key: str, found: object, most: float = math.inf) -> bool:
    """Whether `found` is a finite number above 0 and at most `most`; a fault where it is not.

    >>> check_above(Faults(), "minutes", 2.5), check_above(Faults(), "minutes", float("nan"))
    (True, False)
    """
    if is_number(found) and 0 < cast(float, found) <= most and cast(float, found) < math.inf:
        return True
    limit = "" if most == math.inf else f"{most:,g}"
    if found == math.inf and not limit:
        faults.add("base.not-finite", key=key, found=as_found(found))
    elif limit:
        faults.add("base.not-above-zero-to", key=key, found=as_found(found), most=limit)
    else:
        faults.add("base.not-above-zero", key=key, found=as_found(found))
    return False


def is_whole(value: object) -> bool:
    """Whether a value is a whole number; True is none.

    >>> is_whole(3), is_whole(True), is_whole(2.5)
    (True, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Integral)


def is_number(value: object) -> bool:
    """Whether a value is a real number; True is none.

    >>> is_number(2.5), is_number(True), is_number("2.5")
    (True, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Real)


def as_found(value: Any) -> str:
    """A value as a message names it, shortened; numbers of thousands of digits have no text in Python.

    >>> as_found("abc"), as_found([1] * 1000)[-4:]
    ("'abc'", ', 1…')
    """
    try:
        text = repr(value)
    except ValueError:
        return "…"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def number_or_word(word: str) -> float | str:
    """The number that a word is, else the word itself.

    >>> number_or_word("1e3"), number_or_word("balanced")
    (1000.0, 'balanced')
    """
    try:
        return float(word)
    except ValueError:
        return word
