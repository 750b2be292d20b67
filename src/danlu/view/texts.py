"""What a language model wrote on the way, for the terminal and for the page."""

from collections.abc import Sequence

from rich.console import Console

from danlu.base.words import say
from danlu.store.records import TextGenerated
from danlu.view.page.markup import Markup, element

_SHOWN = 3  # in a terminal; the page has all of them


def print_texts(console: Console, texts: Sequence[TextGenerated]) -> None:
    """The first text, the last, and the one in the middle, each under its epoch."""
    chosen = texts if len(texts) <= _SHOWN else [texts[0], texts[len(texts) // 2], texts[-1]]
    for one in chosen:
        console.print(say("view.text-after", epoch=one.epoch), markup=False, style="bold")
        lines = (one.prompt + one.text).splitlines()
        console.print("\n".join(f"    {line}" for line in lines), markup=False, soft_wrap=True)
    if chosen:
        console.print()


def texts_section(texts: Sequence[TextGenerated]) -> Markup:
    """All texts as a table, the prompt in bold; nothing where there is none.

    >>> texts_section([])
    ''
    """
    if not texts:
        return Markup("")
    rows = [
        element(
            "tr",
            element("td", say("page.epoch", epoch=one.epoch), class_="faint"),
            element("td", element("b", one.prompt), one.text, class_="generated"),
        )
        for one in texts
    ]
    table = element("table", *rows)
    return element("section", element("h2", say("page.texts")), element("div", table, class_="scroll"))
