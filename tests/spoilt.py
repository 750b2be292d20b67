"""Journals of the wrong types: records with some of their values exchanged, left out or doubled."""

import json
import random
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, -1, 3, 10**400, -(2**63), 0.5, "", "x", "NaN", "Infinity", "\ud800", "\x1b[31m",
    "a" * 5000, [], [None], [[]], {}, {"": None}, {"a": {"b": []}}, [1, "x"], float("nan"), float("inf"), 1e308,
]  # fmt: skip
SURFACE = {
    "kind": "surface",
    "xs": [0.0, 1.0],
    "ys": [0.0, 1.0],
    "losses": [[1.0, 2.0], [3.0, 4.0]],
    "path": [[0, 0, 1]],
}


def spoilt(value: Any, draw: random.Random, chance: float) -> Any:
    """The same with some of it exchanged, left out or doubled."""
    if draw.random() < chance:
        return draw.choice(ODD)
    if isinstance(value, dict):
        kept = {key: spoilt(entry, draw, chance) for key, entry in value.items() if draw.random() > chance / 3}
        return kept | ({"kind": value["kind"]} if "kind" in value and draw.random() > chance else {})
    if isinstance(value, list):
        entries = [spoilt(entry, draw, chance) for entry in value]
        return entries + entries[:1] if draw.random() < chance else entries
    return value


def written(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)
