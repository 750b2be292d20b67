"""The encoder of a table: fitted to the training part alone, told in notes, and rebuilt from its record."""

import json
from typing import Any

import numpy
import polars
import pytest
import torch

from danlu.base.errors import UserError
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fit import fit_encoder
from danlu.data.table.fitted import CategoryColumn, NumberColumn
from danlu.data.table.frames import table_of

ALL = numpy.arange(20)
FRAME: dict[str, list[Any]] = {
    "size": [float(n) for n in range(18)] + [None, 100.0],
    "kind": ["a", "b", "a", None] * 5,
    "yes": [True, False] * 10,
}


def fit(frame: dict[str, list[Any]], rows: Any = ALL, standardise: bool = True) -> tuple[TableEncoder, list[str]]:
    encoder, notes = fit_encoder(table_of(frame), numpy.asarray(rows), standardise, "table", classes=True)
    return encoder, [note.id.removeprefix("data.") for note in notes]


def test_only_the_training_rows_are_looked_at() -> None:
    encoder, notes = fit(FRAME, ALL[:10])
    size, kind, _ = encoder.columns
    scale = pytest.approx(8.25**0.5)
    assert size == NumberColumn("size", "number", median=4.5, mean=4.5, scale=scale, flag=False, low=0.0, high=9.0)
    assert kind == CategoryColumn("kind", ("a", "b"), missing=True)
    assert notes == ["imputed"]
    changed = {**FRAME, "size": [*FRAME["size"][:10], *[1e6] * 10], "kind": [*FRAME["kind"][:10], *["z"] * 10]}
    assert fit(changed, ALL[:10])[0] == encoder


def test_numbers_are_imputed_flagged_and_standardised() -> None:
    encoder, notes = fit(FRAME)
    assert encoder.features == ("size", "size: missing", "kind = a", "kind = b", "kind: missing", "yes")
    assert notes == ["imputed"]
    x = encoder.encode(FRAME)
    assert x.dtype == torch.float32
    assert x[:, 0].mean().item() == pytest.approx(0, abs=1e-6)
    assert x[:, 0].std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert x[18, 0].item() == pytest.approx((9 - encoder.columns[0].mean) / encoder.columns[0].scale)  # type: ignore[union-attr]
    assert x[:, 1].tolist() == [0.0] * 18 + [1.0, 0.0]
    assert x[:4, 2:5].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_numbers_may_be_left_as_they_are() -> None:
    encoder, _ = fit(FRAME, standardise=False)
    assert encoder.encode(FRAME)[:5, 0].tolist() == [0, 1, 2, 3, 4]
    assert encoder.encode(FRAME)[:2, 5].tolist() == [1, 0]


def test_a_value_never_seen_is_no_category() -> None:
    encoder, _ = fit(FRAME)
    row = encoder.encode({"size": 3.0, "kind": "never seen", "yes": True})
    assert row[0, 2:5].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "rows",
    [
        polars.DataFrame({"size": [1.0, None], "kind": ["a", None], "yes": [True, False], "more": [1, 2]}),
        {"size": [1.0, None], "kind": ["a", None], "yes": [True, False]},
        [{"size": 1, "kind": "a", "yes": True}, {"size": None, "kind": None, "yes": False}],
        [{"size": "1", "kind": "a", "yes": 1}, {"size": "NA", "yes": 0}],
    ],
)
def test_rows_come_in_many_shapes(rows: Any) -> None:
    encoder, _ = fit(FRAME)
    table = {name: FRAME[name] for name in FRAME}
    like = {"size": [table["size"][1], None], "kind": ["a", None], "yes": [True, False]}
    assert torch.equal(encoder.encode(rows), encoder.encode(like))


def test_the_facts_are_plain_values() -> None:
    encoder, _ = fit(FRAME)
    facts = json.loads(json.dumps(encoder.facts()))
    assert [column["name"] for column in facts["columns"]] == [column.name for column in encoder.columns]
    assert {column["type"] for column in facts["columns"]} == {"NumberColumn", "CategoryColumn"}


@pytest.mark.parametrize(
    ("name", "values", "note"),
    [
        ("PassengerId", list(range(1, 21)), "dropped-identifier"),
        ("Id", list(range(1461, 1481)), "dropped-identifier"),
        ("order_id", list(range(3, 43, 2)), "dropped-identifier"),
        ("", list(range(20)), "dropped-identifier"),
        ("same", [7] * 20, "dropped-constant"),
        ("same", ["x"] * 20, "dropped-constant"),
        ("nothing", [None] * 20, "dropped-empty"),
        ("name", [f"person {n}" for n in range(20)], "dropped-text"),
        ("list", [[n] for n in range(20)], "dropped-type"),
    ],
)
def test_columns_without_use_are_left_out_and_told(name: str, values: list[Any], note: str) -> None:
    encoder, notes = fit({**FRAME, name: values})
    assert name not in [column.name for column in encoder.columns]
    assert note in notes


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("area", list(range(100, 300, 10))),  # all different, but not counted on
        ("paid", [1, 2] * 10),
        ("mostly", ["x"] * 19 + [None]),  # the gap tells something
        ("width", [n / 2 for n in range(20)]),
    ],
)
def test_columns_that_may_be_of_use_stay(name: str, values: list[Any]) -> None:
    encoder, _ = fit({**FRAME, name: values})
    assert name in [column.name for column in encoder.columns]


def test_text_with_very_many_values_is_left_out_however_many_rows() -> None:
    frame = {
        "x": [1.0, 2.0] * 300,
        "few": [f"c{n % 50}" for n in range(600)],
        "many": [f"c{n % 51}" for n in range(600)],
    }
    encoder, notes = fit(frame, numpy.arange(600))
    assert [column.name for column in encoder.columns] == ["x", "few"]
    assert notes == ["dropped-text"]


def test_when_no_column_is_left_the_reasons_are_told(language: str) -> None:
    words = {
        "en": r"no column is left to learn from\.\nColumn \"id\" left out",
        "zh": r"没有可供学习的列。\n已舍去 \"id\" 列",
    }
    with pytest.raises(UserError, match=words[language]):
        fit({"id": list(range(20))})


def test_all_missing_and_unreadable_columns_are_named_at_once(language: str) -> None:
    encoder, _ = fit(FRAME)
    words = {
        "en": r'"size", row 2: "big" is not a number\.\n.*"kind".* is missing\. Did you mean "kinds"\?',
        "zh": r'"size" 列第 2 行："big" 不是数字。\n缺少训练时用过的 "kind" 列。',
    }
    with pytest.raises(UserError, match=words[language]):
        encoder.encode({"size": ["1", "big"], "kinds": ["a", "b"], "yes": [1, 0]})


@pytest.mark.parametrize("rows", [5, [], [1, 2], "text"])
def test_what_is_no_table_is_refused(rows: Any, language: str) -> None:
    encoder, _ = fit(FRAME)
    with pytest.raises(UserError, match={"en": "are no table", "zh": "不是表格"}[language]):
        encoder.encode(rows)
