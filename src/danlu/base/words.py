"""The two languages: every sentence a person reads has an id and stands in both catalogues.

A catalogue is a folder `phrases/<language>/` of TOML files; the phrase `key` in `area.toml` has the id `area.key`.
"""

import contextlib
import functools
import string
import tomllib
from collections.abc import Generator, Iterator, Mapping
from contextvars import ContextVar
from importlib import resources
from typing import Any

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


class _Catalogue(Mapping[str, str]):
    """The phrases of one language by id. All files are read at once, for later none may be left to open; each is taken
    apart when a phrase of its area is asked for, for to do so with all takes as long as many a command.
    """

    def __init__(self, language: str) -> None:
        files = resources.files("danlu.base").joinpath("phrases", language).iterdir()
        named = sorted((file for file in files if file.name.endswith(".toml")), key=lambda file: file.name)
        self._texts = {file.name.removesuffix(".toml"): file.read_text(encoding="utf-8") for file in named}
        self._areas: dict[str, dict[str, str]] = {}

    def __getitem__(self, id: str) -> str:
        area, _, key = id.partition(".")
        try:
            return self._area(area)[key]
        except KeyError:
            raise KeyError(id) from None

    def __iter__(self) -> Iterator[str]:
        for area in self._texts:
            yield from (f"{area}.{key}" for key in self._area(area))

    def __len__(self) -> int:
        return sum(len(self._area(area)) for area in self._texts)

    def _area(self, area: str) -> dict[str, str]:
        if area not in self._areas:
            self._areas[area] = tomllib.loads(self._texts.get(area, ""))
        return self._areas[area]


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """All phrases of one language by id."""
    return _Catalogue(language)


class _Phrases(string.Formatter):
    """Fills `{seeds:seed|seeds}` with the first word where `seeds` is 1, else with the second; `{run!t}` with a word as
    it is typed into a shell; and `{part!p}` with what a part of the data is called, or several with commas between.
    """

    def convert_field(self, value: Any, conversion: str | None) -> Any:
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
