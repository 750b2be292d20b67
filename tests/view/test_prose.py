"""Markdown of the user's as elements: what it can say, what it cannot, and the places that it names."""

import re
from html.parser import HTMLParser

import pytest

from danlu.view.page.markup import Markup, element, joined
from danlu.view.page.prose import ProsePlace, prose, prose_places
from hostile import PAYLOADS

ALLOWED = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "strong", "em", "del", "code", "pre", "a",
    "br", "hr", "div", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


TABLE = "<thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody>"


def rendered(text: str) -> str:
    return joined(prose(text, lambda place: element("i", f"{place.what} of {place.of}")))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# A\n\nb *c* `f<`", "<h1>A</h1><p>b <em>c</em> <code>f&lt;</code></p>"),
        ("**d** ~~e~~", "<p><strong>d</strong> <del>e</del></p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n\n   c\n4. b", '<ol start="3"><li><p>a</p><p>c</p></li><li><p>b</p></li></ol>'),
        ("> a\n> b", "<blockquote><p>a\nb</p></blockquote>"),
        ("```python\nx < 1\n```", "<pre>x &lt; 1\n</pre>"),
        ("a  \nb\n\n---", "<p>a<br>b</p><hr>"),
        ("|a|\n|-|\n|1|", f'<div class="scroll"><table>{TABLE}</table></div>'),
        ("[x](https://a.example/?q=1&r)",
         '<p><a href="https://a.example/?q=1&amp;r" rel="noopener noreferrer nofollow">x</a></p>'),
        ("a\n![curves](first)\nb", "<p>a\n</p><i>curves of first</i><p>\nb</p>"),
        ("so [test  accuracy](first) it is", "<p>so <i>test accuracy of first</i> it is</p>"),
    ],
)  # fmt: skip
def test_what_prose_becomes(text: str, wanted: str) -> None:
    assert rendered(text) == wanted


def test_places_with_their_lines() -> None:
    text = "# a\n\nb\nc [x](one)\n\n- d\n- ![curves](<two three,four>)\n\n[web](http://e.example) ![强](训练)\n"
    assert prose_places(text) == [
        ProsePlace("x", "one", 4, picture=False),
        ProsePlace("curves", "two three,four", 7, picture=True),
        ProsePlace("强", "训练", 9, picture=True),
    ]


class Seen(HTMLParser):
    """All elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


HOSTILE = [
    *PAYLOADS,
    *(f"[x]({payload})" for payload in PAYLOADS),
    *(f"![{payload}](<{payload.replace('<', '').replace('>', '')}>)" for payload in PAYLOADS),
    *(f"`{payload}`\n\n    {payload}\n\n> {payload}\n\n| {payload} |\n|-|\n| {payload} |" for payload in PAYLOADS),
    "[x](javascript:pwned=1)", "[x](JaVaScRiPt:pwned=1)", "[x](java\tscript:pwned=1)", "[x](&#106;avascript:pwned=1)",
    "[x](vbscript:x)", "[x](data:text/html,<script>pwned=1</script>)", "<javascript:pwned=1>",
    "![x](javascript:pwned=1)",
    '[x](https://a.example "onmouseover=pwned=1")', '[x](https://a.example/"onmouseover="pwned=1)',
    "[x]: javascript:pwned=1\n\n[x]", "![x](data:image/svg+xml;base64,PHN2Zz4=)", "\x00<script>pwned=1</script>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_script_gets_through(text: str) -> None:
    """Every place shows nothing here, so that all there is comes from the prose."""
    page = joined(prose(text, lambda place: Markup("")))
    seen = Seen(page)
    assert seen.elements <= ALLOWED
    assert {name for name, _ in seen.attributes} <= {"href", "rel", "class", "start"}
    assert all(re.match("https?://|mailto:", value) for name, value in seen.attributes if name == "href")
