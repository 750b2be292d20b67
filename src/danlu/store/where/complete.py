"""What can stand next in an expression that is being typed."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.errors import UserError
from danlu.store.where.match import text_of_fact
from danlu.store.where.names import FactNames
from danlu.store.where.tokens import Token, tokens

_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~", "in")
_JOINS = ("and", "or")
_MOST = 12
Rows = Sequence[Mapping[str, Any]]


def completions(expression: str, at: int, names: FactNames, rows: Rows) -> tuple[int, list[str]]:
    """The words that can stand at the place `at` of an expression, and where what is typed of them begins.

    >>> names = FactNames([{"optim.lr": 0.1}, {"optim.lr": 0.5}])
    >>> completions("optim.l", 7, names, [{"optim.lr": 0.1}])
    (0, ['optim.lr'])
    >>> completions("lr = ", 5, names, [{"optim.lr": 0.1}, {"optim.lr": 0.5}])
    (5, ['0.1', '0.5', 'none'])
    """
    before = expression[:at]
    try:
        signs = tokens(before)[:-1]
    except UserError:
        quote = max(before.rfind(sign) for sign in "\"'“”‘’")
        if quote < 0:
            return at, []
        signs = [*tokens(before[:quote])[:-1], Token("text", before[quote + 1 :], quote, at)]
    typed = signs.pop() if signs and signs[-1].end == at and signs[-1].kind in ("word", "text") else None
    start, begun = (typed.at, typed.text.lower()) if typed else (at, "")
    offered = _offered(signs, names, rows, typed)
    fitting = [word for word in offered if word.lower().strip('"').startswith(begun)]
    fitting += [word for word in offered if begun and begun in word.lower() and word not in fitting]
    return start, [word for word in fitting if word.strip('"').lower() != begun][:_MOST]


def _offered(signs: Sequence[Token], names: FactNames, rows: Rows, typed: Token | None) -> list[str]:
    last = signs[-1] if signs else None
    if last is not None and last.kind == "operator":
        return _values(names.resolve(signs[-2].text) if len(signs) > 1 else None, rows)
    if _in_list(signs):
        opening = max(place for place, sign in enumerate(signs) if sign.text == "(")
        return _values(names.resolve(signs[opening - 2].text), rows)
    if last is None or last.text == "(" or any(last.means(word) for word in ("and", "or", "not")):
        return [*sorted(names.all), "not"]
    after_value = len(signs) > 1 and signs[-2].kind == "operator"
    if last.text == ")" or after_value:
        return [*_JOINS, *(sorted(names.all) if typed else ())]
    return list(_OPERATORS) if names.resolve(last.text) else list(_JOINS)


def _in_list(signs: Sequence[Token]) -> bool:
    openings = [place for place, sign in enumerate(signs) if sign.kind == "mark" and sign.text == "("]
    if not openings or openings[-1] < 2 or not signs[openings[-1] - 1].means("in"):
        return False
    return all(sign.text != ")" for sign in signs[openings[-1] :]) and signs[-1].text in ("(", ",")


def _values(name: str | None, rows: Rows) -> list[str]:
    """The values that rows have of a fact, the most frequent first, as they have to be written."""
    counts: dict[str, int] = {}
    for row in rows:
        found = row.get(name or "")
        for one in found if isinstance(found, tuple) else (found,):
            if one is not None and one != "":
                text = text_of_fact(one)
                written = text if isinstance(one, int | float) else f'"{text}"'
                counts[written] = counts.get(written, 0) + 1
    return [*sorted(counts, key=lambda text: (-counts[text], text)), "none"]
