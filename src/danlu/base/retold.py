"""A finding in the reader's language: what was written in another one is told again from its phrases and numbers."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from danlu.base.printable import printable
from danlu.base.records import Finding
from danlu.base.words import LANGUAGES, catalogue, language

_REMEDY = "watch.remedy-"
_NOT_FINITE = {word: float(word) for word in ("NaN", "Infinity", "-Infinity")}  # as journals write them


def retold(finding: Finding) -> Finding:
    """The finding in the language in force. A sentence that no phrase of danlu's gives with these numbers stays as it
    is: that of a rule of the user's, or of another version.

    >>> from danlu.base.words import speaking
    >>> numbers = {"share": 0.5, "kind": "Sigmoid", "layer": "fc1", "count": 1}
    >>> told = catalogue("en")["watch.title-saturated"].format(**numbers)
    >>> with speaking("zh"):
    ...     retold(Finding("saturated", "error", (), 1, numbers, told, "my own words")).title.isascii()
    False
    """
    title = _again(finding.title, f"watch.title-{finding.rule}", finding.evidence)
    why = _again(finding.why, f"watch.why-{finding.rule}", finding.evidence)
    remedies = tuple(
        {**remedy, "advice": _again(str(remedy["advice"]), _REMEDY, finding.evidence)} if "advice" in remedy else remedy
        for remedy in finding.remedies
    )
    if (title, why, remedies) == (finding.title, finding.why, finding.remedies):
        return finding
    return replace(finding, title=title, why=why, remedies=remedies)


def _again(text: str, begin: str, numbers: Mapping[str, Any]) -> str:
    """The phrase that gives `text` with these numbers in one of the languages, in the language in force."""
    wanted = language()
    for spoken in sorted(LANGUAGES, key=lambda one: one != wanted):
        for id, beginning in _beginnings(begin, spoken):
            if text.startswith(beginning) and _filled(catalogue(spoken)[id], numbers) == text:
                return text if spoken == wanted else _filled(catalogue(wanted)[id], numbers) or text
    return text


@functools.cache
def _beginnings(begin: str, spoken: str) -> tuple[tuple[str, str], ...]:
    """The phrases of a rule, one for each variant of its verdict, or all remedies; each up to its first number."""
    known = catalogue(spoken)
    ids = [id for id in known if id == begin or id.startswith(begin if begin == _REMEDY else f"{begin}-")]
    return tuple((id, known[id].partition("{")[0]) for id in ids)


def _filled(phrase: str, numbers: Mapping[str, Any]) -> str | None:
    """The phrase with its numbers; None where they are not those that it takes."""
    try:
        return printable(phrase.format(**{name: _NOT_FINITE.get(str(value), value) for name, value in numbers.items()}))
    except (KeyError, ValueError, IndexError, TypeError, AttributeError):
        return None
