"""What an expression asks of a row of facts. A fact that a row has not is like `none`, and like nothing else."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

Row = Mapping[str, Any]
Expression = Callable[[Row], bool]

SEARCHED = ("name", "title", "state", "net.name", "net.class", "data.name", "data.path", "optim.name", "optim.lr",
            "tag", "study", "factors")  # fmt: skip
"""The facts in which words without an operator are looked for."""
UNREAD = "…"
"""The value of a fact that is not known yet, and so neither like anything nor unlike it."""
_WORDS: Mapping[str, Any] = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class Value:
    """What a fact is compared with. `meant` is a number, True, False, None or a text; `at` its place, from 0."""

    text: str
    meant: Any
    at: int

    @classmethod
    def of(cls, text: str, *, quoted: bool, at: int) -> Self:
        if quoted:
            return cls(text, text, at)
        if text.lower() in _WORDS:
            return cls(text, _WORDS[text.lower()], at)
        try:
            number = float(text)
        except ValueError:
            return cls(text, text, at)
        return cls(text, number if math.isfinite(number) else text, at)


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Expression, ...]

    def __call__(self, row: Row) -> bool:
        return all(part(row) for part in self.parts)


@dataclass(frozen=True)
class Some:
    """Some part holds."""

    parts: tuple[Expression, ...]

    def __call__(self, row: Row) -> bool:
        return any(part(row) for part in self.parts)


@dataclass(frozen=True)
class Not:
    """The part does not hold; of a fact that is not known yet nothing does."""

    part: Expression

    def __call__(self, row: Row) -> bool:
        if isinstance(self.part, Is | Contains) and row.get(self.part.name) == UNREAD:
            return False
        return not self.part(row)


@dataclass(frozen=True)
class Text:
    """A word that stands somewhere in the row, whatever its case."""

    word: str

    def __call__(self, row: Row) -> bool:
        return any(self.word in text_of_fact(row.get(name)).lower() for name in SEARCHED)


@dataclass(frozen=True)
class Contains:
    """A fact whose text holds `part`, whatever its case."""

    name: str
    part: str

    def __call__(self, row: Row) -> bool:
        found = row.get(self.name)
        return found != UNREAD and self.part in text_of_fact(found).lower()


@dataclass(frozen=True)
class Is:
    """A fact that is a value, or above or below a number; of several (findings, tags) one of them is enough."""

    name: str
    operator: str
    value: Value

    def __call__(self, row: Row) -> bool:
        found, meant = row.get(self.name), self.value.meant
        if found == UNREAD:
            return False
        if meant is None:
            return found is None or found == () or found == "" or found == []
        if self.operator == "=":
            return _is_like(found, self.value)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return False
        match self.operator:
            case "<":
                return found < meant
            case "<=":
                return found <= meant
            case ">":
                return found > meant
            case _:
                return found >= meant


def _is_like(found: Any, value: Value) -> bool:
    if isinstance(found, tuple):  # findings and tags
        return any(_is_like(one, value) for one in cast(tuple[Any, ...], found))
    if isinstance(found, bool) or isinstance(value.meant, bool):
        return found is value.meant
    if isinstance(found, int | float) and isinstance(value.meant, int | float):
        return found == value.meant
    return _bare(text_of_fact(found)) == _bare(value.text)


def _bare(text: str) -> str:
    """Without case, brackets and blanks: [64, 64] is 64,64."""
    return text.lower().strip("[]").replace(" ", "")


def text_of_fact(found: Any) -> str:
    """A fact as a person writes it.

    >>> text_of_fact([64, 64]), text_of_fact(True), text_of_fact(None), text_of_fact(0.1)
    ('64, 64', 'true', '', '0.1')
    """
    if found is None:
        return ""
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, list | tuple):
        return ", ".join(text_of_fact(one) for one in cast(list[Any], found))
    return str(found)
