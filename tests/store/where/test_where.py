"""The language of filters: what it picks, what it says of what is wrong, and what it offers to type."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.store.where.complete import completions
from danlu.store.where.match import UNREAD
from danlu.store.where.names import FactNames
from danlu.store.where.parse import parse_where

ROWS: list[dict[str, Any]] = [
    {"name": "one", "state": "finished", "optim.lr": 0.1, "net.name": "mlp", "net.hidden": [64, 32], "finding": (),
     "tag": ("paper", "best of"), "accuracy": 0.9, "test.accuracy": 0.88, "optim.nesterov": True},
    {"name": "two", "state": "running", "optim.lr": 0.01, "net.name": "lenet5", "finding": ("loss-nan", "lr-too-high"),
     "tag": (), "accuracy": 0.7, "optim.nesterov": False},
    {"name": "three", "state": "diverged", "optim.lr": 1, "net.name": "mlp", "finding": UNREAD, "tag": (),
     "accuracy": float("nan")},
    {"name": "study", "state": "finished", "optim.lr": (0.1, 0.5), "finding": (), "tag": ()},
]  # fmt: skip
NAMES = FactNames(ROWS)


def picked(expression: str, rows: list[dict[str, Any]] = ROWS) -> list[str]:
    holds = parse_where(expression, NAMES.resolve, NAMES.hints)
    return [row["name"] for row in rows if holds(row)]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", ["one", "two", "three", "study"]),
        ('optim.lr > 0.01 and net = "mlp" and finding = none', ["one"]),
        ("optim.lr >= 0.01 and optim.lr < 1", ["one", "two"]),
        ("lr = 0.1", ["one", "study"]),
        ("lr != 0.1", ["two", "three"]),
        ("learning_rate <= 0.01", ["two"]),
        ("lr in (0.01, 1)", ["two", "three"]),
        ("finding = none", ["one", "study"]),
        ("finding != none", ["two"]),
        ("not finding = none", ["two"]),
        ('finding = "lr-too-high"', ["two"]),
        ("finding ~ nan", ["two"]),
        ("accuracy > 0", ["one", "two"]),
        ("accuracy = none", ["study"]),
        ("test.accuracy < 0.9", ["one"]),
        ("hidden = 64,32", None),
        ('hidden = "64, 32"', ["one"]),
        ("hidden = '[64,32]'", ["one"]),
        ("nesterov = true", ["one"]),
        ("nesterov = false", ["two"]),
        ("tag = 'Best of'", ["one"]),
        ("mlp", ["one", "three"]),
        ("MLP not one", ["three"]),
        ("one or two", ["one", "two"]),
        ("one or two and lr = 1", ["one"]),
        ("(one or two) and lr = 0.01", ["two"]),
        ("state = running or state = diverged", ["two", "three"]),
        ("lr ＞ 0.01 and （net ＝ “mlp”）", ["one", "three"]),
        ("lr ≥ 0.1 lr ≠ 1", ["one"]),
    ],
)
def test_what_an_expression_picks(expression: str, names: list[str] | None) -> None:
    if names is None:
        with pytest.raises(UserError, match="column 12"):
            picked(expression)
    else:
        assert picked(expression) == names


@pytest.mark.parametrize(
    ("expression", "at", "english", "chinese"),
    [
        ("optim.lrr > 1", 1, 'did you mean "optim.lr"', "optim.lr"),
        ("one and colour = red", 9, '"colour" is neither', "“colour”"),
        ("lr > x", 6, "compares numbers", "数值"),
        ("lr >", 5, "a value is missing", "缺少取值"),
        ("lr = = 1", 6, "cannot stand here", "不能出现"),
        ("one and", 8, "missing at the end", "不完整"),
        ("and one", 1, "cannot stand here", "不能出现"),
        ("(one or two", 1, "bracket is not closed", "括号没有闭合"),
        ("one)", 4, "cannot stand here", "不能出现"),
        ("lr in (1, 2", 7, "bracket is not closed", "括号没有闭合"),
        ('net = "mlp', 7, "quotation mark is not closed", "引号没有闭合"),
        ("one ! two", 5, "has no meaning", "没有意义"),
        ("(" * 60 + "one", 51, "nested more than 50", "嵌套超过 50 层"),
        ("x" * 4001, 4001, "at most 4000", "最多 4000"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(expression: str, at: int, english: str, chinese: str) -> None:
    with pytest.raises(UserError, match="column") as caught:
        picked(expression)
    (fault,) = caught.value.faults
    assert fault.values["at"] == at
    with speaking("en"):
        assert english.lower() in str(fault).lower()
        assert f"column {at}" in str(fault)
    with speaking("zh"):
        assert chinese in str(fault)


WORDS = [
    "lr",
    "net",
    "=",
    "!=",
    "<",
    ">",
    "~",
    "in",
    "and",
    "or",
    "not",
    "(",
    ")",
    ",",
    "0.1",
    "mlp",
    '"a"',
    "none",
    "“",
]


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.booleans())
def test_every_expression_picks_or_is_a_fault_with_a_place(words: list[str], apart: bool) -> None:
    text = (" " if apart else "").join(words)
    try:
        picked(text)
    except UserError as error:
        assert 1 <= error.faults[0].values["at"] <= len(text) + 1
    start, offered = completions(text, len(text), NAMES, ROWS)
    assert 0 <= start <= len(text)
    assert len(offered) <= 12


def test_not_is_the_opposite_of_every_comparison() -> None:
    """For rows that are wholly known."""
    draw = random.Random(0)
    known: list[Mapping[str, Any]] = [row for row in ROWS if row["finding"] != UNREAD]
    for _ in range(200):
        parts = (("lr", "net", "accuracy", "state"), ("=", "!="), ("0.1", "mlp", "none"))
        test = " ".join(draw.choice(part) for part in parts)
        plain, opposite = (parse_where(one, NAMES.resolve, NAMES.hints) for one in (test, f"not {test}"))
        assert all(plain(row) != opposite(row) for row in known)


@pytest.mark.parametrize(
    ("typed", "start", "first"),
    [
        ("optim.l", 0, "optim.lr"),
        ("one and fin", 8, "finding"),
        ("finding = ", 10, '"loss-nan"'),
        ("finding = l", 10, '"loss-nan"'),
        ('finding = "lr', 10, '"lr-too-high"'),
        ("lr in (", 7, "0.1"),
        ("lr ", 3, "="),
        ("lr > 0.01 ", 10, "and"),
        ("one ", 4, "and"),
        ("(", 1, "accuracy"),
    ],
)
def test_what_can_come_next_is_offered(typed: str, start: int, first: str) -> None:
    at, words = completions(typed, len(typed), NAMES, ROWS)
    assert at == start
    assert words[0] == first
