"""A file that holds both languages: the reader's own first, the other one behind a button."""

from collections.abc import Callable, Iterable

from danlu.base.words import LANGUAGES, language, speaking
from danlu.view.page.assets import REPORT_SCRIPTS, look
from danlu.view.page.document import data_block, sharing
from danlu.view.page.markup import Markup, Part, element

_TAGS = {"en": "en", "zh": "zh-CN"}
_NAMES = {"en": "English", "zh": "中文"}


def in_both(make: Callable[[], Iterable[Part]]) -> list[Part]:
    """What `make` says in the language in force and in the other one, with the buttons between them. The numbers of
    their charts are the same, and stand there once."""
    first = language()
    halves: list[Part] = [_switch()]
    with sharing() as shared:
        for one in (first, *(other for other in LANGUAGES if other != first)):
            with speaking(one):
                parts = [*make(), data_block("look", look(REPORT_SCRIPTS))]
                halves.append(element("div", *parts, class_="half", lang=_TAGS[one], hidden=one != first))
    return [*halves, data_block("shared", shared.values)]


def _switch() -> Markup:
    here = language()
    buttons = [
        element("button", _NAMES[one], type="button", lang=_TAGS[one], aria_pressed=str(one == here).lower())
        for one in LANGUAGES
    ]
    return element("nav", *buttons, class_="languages", aria_label=" / ".join(_NAMES.values()))
