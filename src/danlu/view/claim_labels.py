"""What the measures, factors, levels and places of a claim are called in the language in force."""

import re

from danlu.base.metric_names import metric_name
from danlu.base.printable import printable
from danlu.base.words import catalogue, language

_NUMBERED = re.compile(r"(?P<before>\d+ )?(?P<word>.*?\S)(?P<behind> \d[\d.e+-]*)?")
_SEPARATORS = re.compile(r"(: | / |=)")


def word(name: str) -> str:
    """What a measure or an axis is called; what danlu has no word for keeps its own name."""
    return _known(name) or metric_name(name)


def label(text: str) -> str:
    """A level, or a value of the condition, part by part; what danlu has no word for stays as its author wrote it.

    >>> label("full batch"), label("momentum 0.9"), label("5 folds"), label("Adam")
    ('full batch', 'momentum 0.9', '5 folds', 'Adam')
    """
    if ", " in text:
        return ", ".join(map(label, text.split(", ")))
    numbered = _NUMBERED.fullmatch(text)
    named = numbered and _known(numbered["word"])
    exactly = _known(text)
    if exactly or not (numbered and named):
        return exactly or printable(text)
    return f"{numbered['before'] or ''}{named}{numbered['behind'] or ''}"


def place(text: str) -> str:
    """A place of a plan, "condition=value: level / level", its parts in words.

    >>> place("epochs=5: momentum 0.9 / momentum 0")
    'epochs=5: momentum 0.9 / momentum 0'
    """
    return "".join(part if index % 2 else label(part) for index, part in enumerate(_SEPARATORS.split(text)))


def _known(name: str) -> str | None:
    return catalogue(language()).get(f"claims.word-{name.replace(' ', '-')}")
