"""The text of a source, before it is parsed: which words stand in it, and so which mistakes can."""

import re
from collections.abc import Collection

_ORDER = re.compile(r"(?<![-<>=])[<>](?![<>])")  # a comparison, and neither "->" nor a shift


class SourceText:
    """The words of a source, in code, strings and comments alike: all that a reading of it can meet, and some more.

    >>> text = SourceText("best = q.max(1)  # of all")
    >>> text.has({"max", "min"}), text.matches(re.compile("^bes")), text.compares
    (True, True, False)
    """

    def __init__(self, text: str) -> None:
        self._words = set(re.findall(r"\w+", text))
        self._lines = "\n".join(self._words)
        self.compares = bool(_ORDER.search(text))
        """Whether anything may be compared by size."""
        self.has_powers = "**" in text

    def has(self, words: Collection[str]) -> bool:
        """Whether one of these words stands in it."""
        return not self._words.isdisjoint(words)

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether a word matches somewhere; "^" and "$" are the ends of a word."""
        return bool(re.compile(pattern.pattern, pattern.flags | re.MULTILINE).search(self._lines))
