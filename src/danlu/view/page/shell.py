"""The pages that are served: empty, but for their scripts; what they show they ask the server for."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.words import language
from danlu.view.page.assets import (
    CHART_SCRIPTS,
    DASHBOARD_SCRIPTS,
    PLAY_SCRIPTS,
    PLAY_STYLE,
    STYLES,
    TRIAL_SCRIPTS,
    TRIAL_STYLE,
    look,
)
from danlu.view.page.document import data_block
from danlu.view.page.markup import Part, element


def shell(word: str = "") -> str:
    """The dashboard in the language in force; `word` is what it has to say where it writes, "" where it may not."""
    blocks = [data_block("word", {"word": word})] if word else []
    return _page("danlu", STYLES, (*CHART_SCRIPTS, *DASHBOARD_SCRIPTS), blocks)


def trial_shell(form: Mapping[str, Any]) -> str:
    """The page on which a run is tried out, in the language in force; `form` says what it asks for."""
    title = f"{form['name']} · danlu"
    return _page(title, (*STYLES, TRIAL_STYLE), (*CHART_SCRIPTS, *TRIAL_SCRIPTS), [data_block("form", dict(form))])


def play_shell(form: Mapping[str, Any]) -> str:
    """The playground, in the language in force; `form` says what can be chosen."""
    title = f"{form['name']} · danlu play"
    return _page(title, (*STYLES, PLAY_STYLE), (*CHART_SCRIPTS, *PLAY_SCRIPTS), [data_block("form", dict(form))])


def _page(title: str, styles: Sequence[str], scripts: Sequence[str], blocks: Sequence[Part]) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        *(element("link", rel="stylesheet", href=f"/static/{name}") for name in styles),
    )
    body = element(
        "body",
        element("header", id="top"),
        element("main", id="main", tabindex="-1"),
        data_block("look", look(scripts)),
        *blocks,
        *(element("script", src=f"/static/{name}") for name in scripts),
    )
    page = element("html", head, body, lang="zh-CN" if language() == "zh" else "en")
    return f"<!DOCTYPE html>\n{page}\n"
