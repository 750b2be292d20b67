"""HTML put together from parts: text is escaped where it goes in, so that no text can ever become markup."""

import html
from collections.abc import Iterable


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Part = str | Markup | None

_EMPTY = {"br", "hr", "img", "input", "link", "meta"}


def element(name: str, /, *parts: Part, **attributes: str | bool | None) -> Markup:
    """An element with `parts` inside. A plain str is text; an attribute `class_` is written class, `data_x` data-x;
    one that is None or False is left out.

    >>> element("p", "a < b", element("b", "c"), class_="note")
    '<p class="note">a &lt; b<b>c</b></p>'
    """
    written = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(parts)}</{name}>")


def joined(parts: Iterable[Part]) -> Markup:
    """Parts one after the other.

    >>> joined(["<", Markup("<br>"), None])
    '&lt;<br>'
    """
    return Markup(
        "".join(part if isinstance(part, Markup) else html.escape(part) for part in parts if part is not None)
    )


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'
