"""Tables in JSON: an object a line, or an array of objects; and what is refused, with the place."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars
import pytest

from danlu import Run, fit
from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.readers.table_file import read_table

ROWS: list[dict[str, Any]] = [
    {"size": n * n % 17 + 0.5, "rooms": n % 5, "kind": "ab"[n % 2], "new": n % 3 == 0, "price": n * 1.5}
    for n in range(60)
]


def lines(rows: list[Any]) -> str:
    return "\n".join(json.dumps(row) for row in rows) + "\n"


@pytest.mark.parametrize(
    ("ending", "form"),
    [(".jsonl", "lines"), (".ndjson", "lines"), (".json", "lines"), (".jsonl.gz", "lines"), (".json", "array")],
)
def test_every_form_is_one_table(tmp_path: Path, ending: str, form: str) -> None:
    path = tmp_path / f"houses{ending}"
    text = lines(ROWS) if form == "lines" else json.dumps(ROWS, indent=1)
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    data, same = load(path, target="price"), load(polars.DataFrame(ROWS), target="price")
    assert data.fingerprint() == same.fingerprint()
    assert data.encoder.facts() == same.encoder.facts()


def test_missing_keys_nulls_and_nan_are_missing_and_blank_lines_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1, "b": "x"}\n\n{"a": null}\n{"a": NaN, "b": null, "c": true}\r\n')
    sheet = read_table(path)
    assert sheet.columns["a"].fill_nan(None).to_list() == [1.0, None, None]
    assert sheet.columns["b"].to_list() == ["x", None, None]
    assert sheet.columns["c"].to_list() == [None, None, True]
    assert [sheet.place(row).values["line"] for row in range(3)] == [1, 3, 4]


@pytest.mark.parametrize("odd", [[1], {"x": 1}, [], {}])
@pytest.mark.parametrize("others", [1, "a", None])
def test_a_column_with_structures_is_left_out_and_told(tmp_path: Path, odd: Any, others: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines([{**row, "odd": odd if n == 7 else others} for n, row in enumerate(ROWS)]))
    told = [note for note in load(path, target="price").notes if note.values.get("column") == "odd"]
    assert [note.id for note in told] == ["data.dropped-type"]


REFUSED = [
    ("a.jsonl", '{"a": 1}\n{"a": }\n', r"a\.jsonl, line 2, column 7: this is not JSON"),
    ("a.jsonl", '{"a": 1}\n[1, 2]\n', r"line 2: an object .* is wanted for each row; this is an array"),
    ("a.jsonl", '{"a": 1}\n3\n', r"line 2: .* this is a number"),
    ("a.jsonl", '{"a": 1, "a": 2}\n', r'line 1: the key "a" stands twice'),
    ("a.json", '[{"a": 1, "a": 2}]', r'the file: the key "a" stands twice'),
    ("a.json", '[{"a": 1}, "x"]', r"row 2: .* this is a string"),
    ("a.json", '{"a": {"0": 1, "1": 2}}', r"an array of objects is wanted.*this is an object.*orient=.records"),
    ("a.json", "7", r"an array of objects is wanted.*this is a number"),
    ("a.json", '[{"a": 1},\n {"a": 2}', r"line 2, column \d+: this is not JSON"),
    ("a.json", "[]", "no rows of data"),
    ("a.json", "[{}, {}]", "no rows of data"),
    ("a.jsonl", "  \n", "the file is empty"),
    ("a.jsonl", '{"a": ' + "9" * 5000 + "}", "line 1: cannot be read as JSON"),
    ("a.json", "[" * 100_000, "nested"),
    ("a.jsonl", '{"\\ud800": 1}', "signs that are no text"),
]


@pytest.mark.parametrize(("name", "text", "message"), REFUSED)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path / name)


def test_a_run_learns_from_json_and_answers_json(tmp_path: Path, data_root: Path) -> None:
    frame = polars.read_csv(data_root / "titanic.csv")
    frame.write_ndjson(tmp_path / "titanic.jsonl")
    (tmp_path / "new.json").write_text(frame.drop("Survived").head(20).write_json())
    frame.drop("Survived").head(20).write_csv(tmp_path / "new.csv")
    run = fit("mlp", tmp_path / "titanic.jsonl", target="Survived", epochs=5, folder=tmp_path / "run", progress=False)
    assert run.score["test"]["accuracy"] > 0.7
    again = Run(run.folder)
    assert again.predict(tmp_path / "new.json").tolist() == again.predict(tmp_path / "new.csv").tolist()
