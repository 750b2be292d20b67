"""An expression understood: what a row has to be to be picked.

expression = both ("or" both)*           both = one (["and"] one)*          one = "not" one | "(" expression ")" | test
test = NAME ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~") VALUE | NAME "in" "(" VALUE ("," VALUE)* ")" | TEXT
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from danlu.base.errors import fail, nearest
from danlu.store.where.match import All, Contains, Expression, Is, Not, Some, Text, Value
from danlu.store.where.tokens import Token, tokens

_DEEPEST = 50
_ORDERED = ("<", "<=", ">", ">=")
WORDS = ("and", "or", "not", "in")


def parse_where(expression: str, resolve: Callable[[str], str | None], names: Collection[str]) -> Expression:
    """The expression; `resolve` gives the full name of a fact, or None for what is none of `names`, which hints name.

    UserError that says where it is wrong: value `at` of its fault, from 1. An empty expression picks everything.

    >>> names = ("optim.lr", "finding")
    >>> picked = parse_where("optim.lr > 0.01 and finding = none", lambda name: name if name in names else None, names)
    >>> picked({"optim.lr": 0.1, "finding": ()}), picked({"optim.lr": 0.1, "finding": ("loss-nan",)})
    (True, False)
    """
    return _Parser(tokens(expression), resolve, names).whole()


@dataclass
class _Parser:
    signs: list[Token]
    resolve: Callable[[str], str | None]
    names: Collection[str]
    at: int = 0
    depth: int = 0

    @property
    def next(self) -> Token:
        return self.signs[self.at]

    @property
    def ended(self) -> bool:
        return self.next.kind == "end"

    def take(self) -> Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def whole(self) -> Expression:
        if self.ended:
            return All(())
        found = self.either()
        if not self.ended:
            fail("where.unexpected", at=self.next.at + 1, found=self.next.text)
        return found

    def either(self) -> Expression:
        self.depth += 1
        if self.depth > _DEEPEST:
            fail("where.too-deep", at=self.next.at + 1, most=_DEEPEST)
        found = [self.both()]
        while self.next.means("or"):
            self.take()
            found.append(self.both())
        self.depth -= 1
        return found[0] if len(found) == 1 else Some(tuple(found))

    def both(self) -> Expression:
        found = [self.one()]
        while not (self.ended or self.next.means("or") or self._is(")")):
            if self.next.means("and"):
                self.take()
            found.append(self.one())
        return found[0] if len(found) == 1 else All(tuple(found))

    def one(self) -> Expression:
        nots = 0
        while self.next.means("not"):
            self.take()
            nots += 1
        found = self._group_or_test()
        return Not(found) if nots % 2 else found

    def _group_or_test(self) -> Expression:
        token = self.take()
        if token.kind == "mark" and token.text == "(":
            found = self.either()
            if not self._is(")"):
                fail("where.open-bracket", at=token.at + 1)
            self.take()
            return found
        if token.kind not in ("word", "text") or any(token.means(word) for word in WORDS):
            if token.kind == "end":
                fail("where.ends", at=token.at + 1)
            fail("where.unexpected", at=token.at + 1, found=token.text)
        if self.next.kind == "operator":
            return self._compared(token)
        if self.next.means("in") and self.signs[self.at + 1].text == "(":
            return self._in(token)
        return Text(token.text.lower())

    def _compared(self, named: Token) -> Expression:
        name, sign = self._name(named), self.take()
        value = self._value()
        if sign.text in _ORDERED and not isinstance(value.meant, int | float):
            fail("where.needs-number", at=value.at + 1, operator=sign.text, found=value.text)
        if sign.text == "~":
            return Contains(name, value.text.lower())
        found = Is(name, "=" if sign.text == "!=" else sign.text, value)
        return Not(found) if sign.text == "!=" else found

    def _in(self, named: Token) -> Expression:
        name = self._name(named)
        self.take()
        opened = self.take()
        values = [self._value()]
        while self._is(","):
            self.take()
            values.append(self._value())
        if not self._is(")"):
            fail("where.open-bracket", at=opened.at + 1)
        self.take()
        return Some(tuple(Is(name, "=", value) for value in values))

    def _name(self, token: Token) -> str:
        found = self.resolve(token.text)
        if found is None:
            fail("where.unknown-name", at=token.at + 1, name=token.text, hint=nearest(token.text, self.names))
        return found

    def _value(self) -> Value:
        token = self.take()
        if token.kind == "end":
            fail("where.needs-value", at=token.at + 1)
        if token.kind not in ("word", "text"):
            fail("where.unexpected", at=token.at + 1, found=token.text)
        return Value.of(token.text, quoted=token.kind == "text", at=token.at)

    def _is(self, mark: str) -> bool:
        return self.next.kind == "mark" and self.next.text == mark
