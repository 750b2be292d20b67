"""Prose in Markdown (CommonMark with tables) as HTML, put together from elements: no text of it can become markup."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from danlu.view.page.markup import Markup, Part, element, joined

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_ELEMENTS = {
    "paragraph": "p", "bullet_list": "ul", "ordered_list": "ol", "list_item": "li", "blockquote": "blockquote",
    "strong": "strong", "em": "em", "s": "del", "thead": "thead", "tbody": "tbody", "tr": "tr", "th": "th", "td": "td",
}  # fmt: skip
_WEB = ("https://", "http://", "mailto:")


@dataclass(frozen=True)
class ProsePlace:
    """Where something is to stand in prose: a picture, `![what](of)`, or a number, `[what](of)`; its line from 1."""

    what: str
    of: str
    line: int
    picture: bool


def prose_places(text: str) -> list[ProsePlace]:
    """The places that prose names, in their order; a link into the web is none.

    >>> prose_places("![curves](first) and [accuracy](first), see [there](https://example.org)")[1]
    ProsePlace(what='accuracy', of='first', line=1, picture=False)
    """
    return [place for node in _tree(text).walk() if (place := _place(node))]


def prose(text: str, fill: Callable[[ProsePlace], Part]) -> list[Markup]:
    """The prose as elements, its places filled; a picture stands between paragraphs, wherever in one it is named.

    >>> prose("*a* <b>", lambda place: None)
    ['<p><em>a</em> &lt;b&gt;</p>']
    """
    return [part for node in _tree(text).children for part in _block(node, fill)]


def _tree(text: str) -> "SyntaxTreeNode":
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(text))


def _block(node: "SyntaxTreeNode", fill: Callable[[ProsePlace], Part]) -> Iterator[Markup]:
    """A paragraph comes in pieces where pictures are named in it; all else is one element."""
    if node.type != "paragraph" or node.hidden:
        yield _element(node, fill)
        return
    inline: list[SyntaxTreeNode] = []
    for child in node.children[0].children:
        if child.type == "image":
            yield from _paragraph(inline, fill)
            inline = []
            yield joined([_inline(child, fill)])
        else:
            inline.append(child)
    yield from _paragraph(inline, fill)


def _paragraph(inline: Sequence["SyntaxTreeNode"], fill: Callable[[ProsePlace], Part]) -> Iterator[Markup]:
    if any(child.content.strip() or child.children for child in inline):
        yield element("p", *(_inline(child, fill) for child in inline))


def _element(node: "SyntaxTreeNode", fill: Callable[[ProsePlace], Part]) -> Markup:
    if node.type in ("fence", "code_block"):
        return element("pre", node.content)
    if node.type == "hr":
        return element("hr")
    inside = [part for child in node.children for part in _block(child, fill)]
    if node.type == "heading":
        return element(node.tag, *inside)
    if node.type == "table":
        return element("div", element("table", *inside), class_="scroll")
    if node.type == "ordered_list":
        return element("ol", *inside, start=str(node.attrs.get("start", 1)))
    if node.type == "inline":
        return joined(_inline(child, fill) for child in node.children)
    name = None if node.hidden else _ELEMENTS.get(node.type)
    return element(name, *inside) if name else joined(inside)


def _inline(node: "SyntaxTreeNode", fill: Callable[[ProsePlace], Part]) -> Part:
    if node.type in ("softbreak", "hardbreak"):
        return Markup("<br>") if node.type == "hardbreak" else "\n"
    if node.type == "code_inline":
        return element("code", node.content)
    if place := _place(node):
        return fill(place)
    inside = [_inline(child, fill) for child in node.children]
    if node.type == "link":
        return element("a", *inside, href=str(node.attrs["href"]), rel="noopener noreferrer nofollow")
    name = _ELEMENTS.get(node.type)
    return element(name, *inside) if name else joined(inside) if inside else node.content


def _place(node: "SyntaxTreeNode") -> ProsePlace | None:
    """The place that a picture or a link names; None for all else."""
    if node.type not in ("image", "link"):
        return None
    target = str(node.attrs["src" if node.type == "image" else "href"])
    if node.type == "link" and target.startswith(_WEB):
        return None
    words = " ".join(_words(node).split())
    return ProsePlace(words, unquote(target), _line(node), node.type == "image")


def _words(node: "SyntaxTreeNode") -> str:
    if node.type == "softbreak":
        return " "
    return "".join(map(_words, node.children)) or node.content


def _line(node: "SyntaxTreeNode") -> int:
    """The line of something inline: that of its block, and one more for each break before it."""
    breaks = 0
    while node.parent is not None and node.map is None:
        before = node.parent.children[: node.parent.children.index(node)]
        breaks += sum(one.type in ("softbreak", "hardbreak") for each in before for one in each.walk())
        node = node.parent
    return (node.map[0] if node.map else 0) + breaks + 1
