"""The one page of the dashboard: empty, but for its scripts; what it shows it asks the server for."""

from danlu.base.words import language
from danlu.view.page.assets import CHART_SCRIPTS, DASHBOARD_SCRIPTS, STYLES, look
from danlu.view.page.document import data_block
from danlu.view.page.markup import element


def shell() -> str:
    """The page in the language in force."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", "danlu"),
        element("link", rel="icon", href="data:,"),
        *(element("link", rel="stylesheet", href=f"/static/{name}") for name in STYLES),
    )
    scripts = [element("script", src=f"/static/{name}") for name in (*CHART_SCRIPTS, *DASHBOARD_SCRIPTS)]
    body = element(
        "body",
        element("header", id="top"),
        element("main", id="main", tabindex="-1"),
        data_block("look", look()),
        *scripts,
    )
    page = element("html", head, body, lang="zh-CN" if language() == "zh" else "en")
    return f"<!DOCTYPE html>\n{page}\n"
