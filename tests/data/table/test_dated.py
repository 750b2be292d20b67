"""Where the rows follow each other in time, a split by time and a forecast are offered; else nothing is said."""

import datetime
from typing import Any

import pytest

import danlu

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(day) for day in range(60)]
MIXED = [DAYS[37 * place % 60] for place in range(60)]

CASES: dict[str, tuple[list[datetime.date], str, dict[str, Any], str | None]] = {
    "numbers by day": (DAYS, "amount", {}, "data.dated-numbers"),
    "the newest first": (DAYS[::-1], "amount", {}, "data.dated-numbers"),
    "classes by day": (DAYS, "kind", {}, "data.dated-rows"),
    "two series, one behind the other": (DAYS[::2] * 2, "amount", {}, "data.dated-numbers"),
    "in no order": (MIXED, "amount", {}, None),
    "few days": ([DAYS[place // 20] for place in range(60)], "amount", {}, None),
    "split by time": (DAYS, "amount", {"time": "day of sale"}, None),
    "windows": (DAYS, "amount", {"window": 3}, None),
    "folds": (DAYS, "amount", {"fold": (0, 3)}, None),
    "the dates left out": (DAYS, "amount", {"drop": ["day of sale"]}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_offered(name: str) -> None:
    days, target, settings, wanted = CASES[name]
    table = {"day of sale": days, "amount": [place * 7 % 50 + 0.5 for place in range(60)], "kind": ["a", "b", "b"] * 20}
    notes = danlu.load(table, target=target, **settings).notes
    told = [note for note in notes if note.id.startswith("data.dated-")]
    assert [note.id for note in told] == ([] if wanted is None else [wanted])
    assert all('"data.time=day of sale"' in str(note) for note in told)
