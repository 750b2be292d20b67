"""A whole HTML document in one file: its scripts and styles inside, and a policy that allows just those."""

import base64
import contextlib
import hashlib
from collections.abc import Generator, Sequence
from contextvars import ContextVar
from typing import Any

from danlu.base.strict_json import to_json
from danlu.base.words import language
from danlu.view.figures.chart import Chart, plain
from danlu.view.page.assets import REPORT_SCRIPTS, STYLE, asset, look
from danlu.view.page.markup import Markup, Part, element, joined
from danlu.view.page.shared import SharedValues

_shared: ContextVar[SharedValues | None] = ContextVar("shared", default=None)


def document(title: str, parts: Sequence[Part], *, theme: str | None = None) -> str:
    """The document; `parts` are its main content. It opens without a network, and reaches for none."""
    style = asset(STYLE)
    script = "\n".join(asset(name) for name in REPORT_SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    )
    body = element(
        "body", element("main", *parts), data_block("look", look(REPORT_SCRIPTS)), Markup(f"<script>{script}</script>")
    )
    page = element("html", head, body, lang="zh-CN" if language() == "zh" else "en", data_theme=theme)
    return f"<!DOCTYPE html>\n{page}\n"


def chart_block(chart: Chart) -> Markup:
    """A place for a chart, and its numbers for the script that draws it there; without scripts its notes are read."""
    notes = joined(element("p", note) for note in chart.notes)
    return element(
        "section",
        element("div", element("p", chart.title, class_="chart-title"), notes, class_="chart-place"),
        numbers_block("chart", plain(chart)),
        class_="chart-section",
    )


@contextlib.contextmanager
def sharing() -> Generator[SharedValues]:
    """In this block long rows of numbers are written as places in what it gives, which stands in the document once."""
    shared = SharedValues()
    token = _shared.set(shared)
    try:
        yield shared
    finally:
        _shared.reset(token)


def numbers_block(kind: str, value: Any) -> Markup:
    """Numbers for a script, in a block of `sharing` without what stands elsewhere too."""
    shared = _shared.get()
    return data_block(kind, value if shared is None else shared.without(value))


def data_block(kind: str, value: Any) -> Markup:
    """Numbers for a script. JSON in which no sign can end the block.

    >>> data_block("chart", "</script>")
    '<script type="application/json" class="chart-data">"\\\\u003c/script>"</script>'
    """
    text = to_json(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(f'<script type="application/json" class="{kind}-data">{text}</script>')


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
