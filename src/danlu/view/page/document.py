"""A whole HTML document in one file: its scripts and styles inside, and a policy that allows just those."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from danlu.base.strict_json import to_json
from danlu.base.words import language
from danlu.view.figures.chart import Chart, plain
from danlu.view.page.assets import CHART_SCRIPTS, REPORT_SCRIPT, STYLE, asset, look
from danlu.view.page.markup import Markup, Part, element, joined


def document(title: str, parts: Sequence[Part], *, theme: str | None = None) -> str:
    """The document; `parts` are its main content. It opens without a network, and reaches for none."""
    style = asset(STYLE)
    script = "\n".join(asset(name) for name in (*CHART_SCRIPTS, REPORT_SCRIPT))
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
    body = element("body", element("main", *parts), data_block("look", look()), Markup(f"<script>{script}</script>"))
    page = element("html", head, body, lang="zh-CN" if language() == "zh" else "en", data_theme=theme)
    return f"<!DOCTYPE html>\n{page}\n"


def chart_block(chart: Chart) -> Markup:
    """A place for a chart, and its numbers for the script that draws it there; without scripts its notes are read."""
    notes = joined(element("p", note) for note in chart.notes)
    return element(
        "section",
        element("div", element("p", chart.title, class_="chart-title"), notes, class_="chart-place"),
        data_block("chart", plain(chart)),
        class_="chart-section",
    )


def data_block(kind: str, value: Any) -> Markup:
    """Numbers for a script. JSON in which no sign can end the block.

    >>> data_block("chart", "</script>")
    '<script type="application/json" class="chart-data">"\\\\u003c/script>"</script>'
    """
    text = to_json(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup(f'<script type="application/json" class="{kind}-data">{text}</script>')


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
