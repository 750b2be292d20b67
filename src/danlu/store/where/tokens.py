"""An expression cut into its signs, each with its place. Signs of Chinese keyboards mean what they look like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from danlu.base.errors import fail

_SAME = str.maketrans(
    {
        "＝": "=", "＜": "<", "＞": ">", "（": "(", "）": ")", "，": ",", "“": '"', "”": '"', "‘": "'", "’": "'",
        "！": "!", "～": "~", "　": " ",
    }
)  # fmt: skip
_OPERATORS = {"==": "=", "≠": "!=", "≤": "<=", "≥": ">=", "<>": "!="}
_SIGNS = re.compile(
    r"""(?P<space>\s+)
    | (?P<operator><=|>=|!=|==|<>|[=<>~≠≤≥])
    | (?P<mark>[(),])
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<open>["'])
    | (?P<word>[^\s(),"'=<>~≠≤≥!]+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST = 4_000


@dataclass(frozen=True)
class Token:
    """One sign. `at` and `end` are its place in the expression, from 0; the text of one in quotes is without them."""

    kind: Literal["operator", "mark", "text", "word", "end"]
    text: str
    at: int
    end: int

    def means(self, word: str) -> bool:
        """Whether it is a word of the language, such as `and`."""
        return self.kind == "word" and self.text.lower() == word


def tokens(expression: str) -> list[Token]:
    """The signs of an expression, and one for its end. UserError with the place of a sign that is none.

    >>> [token.text for token in tokens('optim.lr ≥ 1e-2 and net = "mlp"')]
    ['optim.lr', '>=', '1e-2', 'and', 'net', '=', 'mlp', '']
    """
    if len(expression) > _LONGEST:
        fail("where.too-long", at=_LONGEST + 1, most=_LONGEST)
    return [*_signs(expression.translate(_SAME)), Token("end", "", len(expression), len(expression))]


def _signs(plain: str) -> Iterator[Token]:
    for match in _SIGNS.finditer(plain):
        text, at, end = match.group(), match.start(), match.end()
        match match.lastgroup:
            case "operator":
                yield Token("operator", _OPERATORS.get(text, text), at, end)
            case "mark":
                yield Token("mark", text, at, end)
            case "text":
                yield Token("text", re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL), at, end)
            case "word":
                yield Token("word", text, at, end)
            case "open":
                fail("where.open-quote", at=at + 1)
            case "other":
                fail("where.strange-sign", at=at + 1, sign=text)
            case _:
                pass
