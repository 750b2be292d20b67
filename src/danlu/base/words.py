"""The two languages: every sentence a person reads has an id and stands in both catalogues.

A catalogue is a folder `phrases/<language>/` of TOML files; the phrase `key` in `area.toml` has the id `area.key`.
"""

import contextlib
import functools
import string
import tomllib
from collections.abc import Generator
from contextvars import ContextVar
from importlib import resources
from typing import Any, Literal

from danlu.base.places import language_of_environment
from danlu.base.printable import printable, typed

LANGUAGES = ("en", "zh")

_chosen: str | None = None
_for_now: ContextVar[str | None] = ContextVar("language", default=None)


def use_language(language: str | None) -> None:
    """Speak `language` ("en" or "zh") from now on; None goes back to the environment's.

    >>> use_language("en")
    """
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, got {language!r}")
    global _chosen
    _chosen = language


def language() -> str:
    """The language in force: that of the block around the call, else the chosen one, else the environment's."""
    return _for_now.get() or _chosen or language_of_environment()


@contextlib.contextmanager
def speaking(language: str) -> Generator[None]:
    """Speak `language` in this block, in this thread or task alone: a server answers each reader in theirs.

    >>> with speaking("zh"):
    ...     say("base.did-you-mean", word="relu")
    '您是不是想写 "relu"？'
    """
    assert language in LANGUAGES
    token = _for_now.set(language)
    try:
        yield
    finally:
        _for_now.reset(token)


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """All phrases of one language by id."""
    phrases: dict[str, str] = {}
    folder = resources.files("danlu.base").joinpath("phrases", language)
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            area = file.name.removesuffix(".toml")
            for key, phrase in tomllib.loads(file.read_text(encoding="utf-8")).items():
                phrases[f"{area}.{key}"] = phrase
    return phrases


class _Phrases(string.Formatter):
    """Fills `{seeds:seed|seeds}` with the first word where `seeds` is 1, else with the second; `{run!t}` with a word as
    it is typed into a shell; and `{part!p}` with what a part of the data is called, or several with commas between.
    """

    def convert_field(self, value: Any, conversion: Literal["r", "s", "a", "t", "p"] | None) -> Any:
        if conversion == "t":
            return typed(str(value))
        if conversion == "p":
            known = catalogue(language())
            return ", ".join(known.get(f"base.part-{part}", part) for part in str(value).split(", "))
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        one, several, many = format_spec.partition("|")
        return (one if str(value) == "1" else many) if several else super().format_field(value, format_spec)


_PHRASES = _Phrases()


def say(id: str, **values: Any) -> str:
    """The phrase `id` in the language in force, its placeholders filled with `values`.

    >>> use_language("en")
    >>> say("base.did-you-mean", word="relu")
    ' Did you mean "relu"?'
    >>> say("figure.more-pairs", count=1), say("figure.more-pairs", count=1234)
    ('about 1 more seed', 'about 1,234 more seeds')
    """
    phrase = catalogue(language())[id]
    simple = not any(sign in phrase for sign in ("|", "!t}", "!p}"))
    return printable(phrase.format(**values) if simple else _PHRASES.vformat(phrase, (), values))
