"""What a user says of a table's columns: which are features, and what their cells are taken for."""

from pathlib import Path
from typing import Any

import polars
import pytest
import torch

from danlu import Run, fit
from danlu.base.errors import UserError
from danlu.base.recipe import DataRecipe
from danlu.base.recipe_text import RecipeDraft, to_toml
from danlu.data import load
from danlu.data.dataset import ReadSource
from danlu.data.table.encoder import TableEncoder

ROWS = 60
ZIPS = [f"{1000 + n * 7919 % 9000}" for n in range(ROWS)]
TABLE: dict[str, list[Any]] = {
    "zip": [int(text) for text in ZIPS],
    "size": [n * n % 17 + 0.5 for n in range(ROWS)],
    "day": [f"2024-{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(ROWS)],
    "note": [f"seen {n}" for n in range(ROWS)],
    "who": [n // 6 for n in range(ROWS)],
    "price": [n * 1.5 for n in range(ROWS)],
}


def csv_of(folder: Path, table: dict[str, list[Any]] = TABLE) -> Path:
    path = folder / "houses.csv"
    polars.DataFrame(table).write_csv(path)
    return path


def features(data: Any) -> list[str]:
    assert isinstance(data.encoder, TableEncoder)
    return [column.name for column in data.encoder.columns]


def ids(data: Any) -> list[str]:
    return [note.id for note in data.notes]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"columns": ["size", "day"]}, ["size", "day"]),
        ({"columns": "size,day"}, ["size", "day"]),
        ({"columns": ["size", "price"]}, ["size"]),
        ({"columns": [1, "day"]}, ["size", "day"]),
        ({"drop": "day"}, ["zip", "size", "who"]),
        ({"drop": ["zip", "day"]}, ["size", "who"]),
        ({"columns": ["size", "day"], "time": "day", "drop": ["zip"]}, ["size", "day"]),
        ({"drop": ["day"], "time": "day"}, ["zip", "size", "who"]),
        ({"columns": ["size"], "group": "who"}, ["size"]),
        ({"columns": ["size"], "weight": "zip"}, ["size"]),
    ],
)
def test_only_the_wanted_columns_are_features(tmp_path: Path, options: dict[str, Any], wanted: list[str]) -> None:
    data = load(csv_of(tmp_path), target="price", **options)
    assert features(data) == wanted
    assert {"columns.only", "columns.dropped"} & {*ids(data)}


def test_a_dropped_column_still_orders_the_rows(tmp_path: Path) -> None:
    path = csv_of(tmp_path)
    kept, dropped = load(path, target="price", time="day"), load(path, target="price", time="day", drop=["day"])
    assert kept.numbers is not None
    assert dropped.numbers is not None
    assert kept.numbers.tolist() == dropped.numbers.tolist()


def test_a_code_becomes_a_category_whatever_it_looks_like(tmp_path: Path) -> None:
    path = csv_of(tmp_path)
    assert load(path, target="price").encoder.facts()["features"][0] == "zip"
    data = load(path, target="price", types={"zip": "category"})
    told = data.encoder.facts()["features"]
    assert sum(name.startswith("zip = ") for name in told) == data.sizes["train"]
    assert "columns.typed" in ids(data)
    row = {"zip": ["1000", "9"], "size": [0.5, 0.5], "day": ["2024-01-01"] * 2, "who": [0, 0]}
    assert data.encode(row)[:, : data.sizes["train"]].sum(1).tolist() == [float("zip = 1000" in told), 0.0]


@pytest.mark.parametrize("typed", [False, True])
def test_a_category_is_one_whether_its_cells_came_as_text_or_numbers(tmp_path: Path, typed: bool) -> None:
    source = polars.DataFrame(TABLE) if typed else csv_of(tmp_path)
    data = load(source, target="price", types={"who": "category"}, columns=["who"])
    assert data.encode({"who": ["3"]}).tolist() == data.encode({"who": [3]}).tolist()
    assert data.encode({"who": [3.0]}).sum() == 1


def test_a_few_odd_cells_stay_missing_and_are_told(tmp_path: Path) -> None:
    table = {**TABLE, "size": [*map(str, TABLE["size"][:-2]), "big", "small"]}
    data = load(csv_of(tmp_path, table), target="price", types={"size": "number"})
    assert "data.odd-cells" in ids(data)


def test_padded_codes_may_be_numbers_and_a_target_may_be_classes(tmp_path: Path) -> None:
    table = {**TABLE, "zip": [f"{n:03d}" for n in range(ROWS)], "price": [n % 30 for n in range(ROWS)]}
    path = csv_of(tmp_path, table)
    data = load(path, target="price", types={"zip": "number", "price": "category"}, columns=["zip"])
    assert data.task == "classification"
    assert features(data) == ["zip"]
    assert data.encoder.facts()["columns"][0]["kind"] == "integer"


REFUSED = [
    ({"columns": ["sise"]}, r'data\.columns names "sise".*Did you mean "size"'),
    ({"drop": "nte"}, r'data\.drop names "nte".*Did you mean "note"'),
    ({"types": {"zp": "category"}}, r'data\.types names "zp".*Did you mean "zip"'),
    ({"drop": ["price"]}, r'"price" is to be predicted'),
    ({"columns": ["size", "zip"], "drop": ["zip"]}, r'"zip" is in data\.columns and in data\.drop'),
    ({"drop": ["zip"], "types": {"zip": "category"}}, r'data\.types names "zip", which'),
    ({"columns": []}, "leave no column to learn from"),
    ({"columns": ["price"]}, "leave no column to learn from"),
    ({"types": {"note": "number"}}, r'column "note".*60 of 60 cells are not numbers, the first "seen 0" in line 2'),
    ({"types": {"size": "date"}}, r'column "size".*60 of 60 cells are not dates, the first "0.5" in line 2'),
    ({"types": {"day": "number"}}, r'column "day".*60 of 60 cells are not numbers, the first "2024-01-01" in line 2'),
    ({"types": {"zip": "categry"}}, "categry.*must be one of"),
    ({"types": ["zip"]}, "a type for each column"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_contradicts_itself_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(csv_of(tmp_path), target="price", **options)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sise") as refused:
        load(csv_of(tmp_path), target="price", columns=["sise"], drop=["price"], types={"note": "number", "q": "text"})
    assert len(refused.value.faults) == 4


def test_a_row_without_a_file_is_named_by_its_number() -> None:
    with pytest.raises(UserError, match="in row 1"):
        load(TABLE, target="price", types={"note": "number"})


def test_a_category_of_too_many_values_is_refused() -> None:
    table = {"code": [str(n) for n in range(2000)], "y": [n % 7 * 1.0 for n in range(2000)]}
    with pytest.raises(UserError, match="1400 different values are too many"):
        load(table, target="y", types={"code": "category"})


@pytest.mark.parametrize("source", [([[0.0, 1.0]] * 30, [0.0, 1.0] * 15), (["a b"] * 30, ["x", "y"] * 15)])
@pytest.mark.parametrize("options", [{"drop": ["a"]}, {"columns": ["a"]}, {"types": {"a": "text"}}])
def test_what_is_no_table_has_no_columns(source: Any, options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"data.{next(iter(options))}"):
        load(source, **options)


def test_the_recipe_loads_the_same_again(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"drop": ["note"], "types": {"zip": "category", "who": "category"}}
    data = load(csv_of(tmp_path), target="price", **asked)
    assert data.recipe is not None
    assert data.recipe.drop == ("note",)
    again = load(data.recipe.path, target="price", drop=data.recipe.drop, types=data.recipe.types)
    assert again.fingerprint() == data.fingerprint()
    plain = load(csv_of(tmp_path), target="price")
    assert plain.fingerprint() != data.fingerprint()


def test_words_of_the_command_line_join_the_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text('[data]\npath = "a.csv"\ndrop = ["x"]\n[data.types]\nzip = "text"\n"a.b" = "date"\n')
    draft = RecipeDraft()
    draft.read_file(file)
    draft.read_words(["data.types.zip=category", "data.types.my-col=number", "data.drop=name,3", "data.columns=0"])
    found = draft.recipe()
    assert found.data.types == {"zip": "category", "a.b": "date", "my-col": "number"}
    assert found.data.drop == ("name", "3")
    assert found.data.columns == ("0",)
    file.write_text(to_toml(found))
    again = RecipeDraft()
    again.read_file(file)
    assert again.recipe() == found
    assert hash(again.recipe().data) == hash(found.data)


def test_a_type_that_there_is_not_is_told_with_its_place() -> None:
    draft = RecipeDraft()
    draft.read_words(["data.types.zip=categry"])
    with pytest.raises(UserError, match=r"command line: data\.types\.zip is 'categry'"):
        draft.recipe()


def test_old_recipes_keep_their_fingerprint() -> None:
    assert "types" not in RecipeDraft().recipe().as_dict()["data"]
    assert DataRecipe().types is None


def test_rows_that_differ_in_what_was_dropped_are_two_rows() -> None:
    table = {
        "name": [f"n{n}" for n in range(ROWS)],
        "a": [n % 2 for n in range(ROWS)],
        "y": [n % 2 for n in range(ROWS)],
    }
    for names, told in ((table["name"], False), (["n"] * ROWS, True)):
        data = load({**table, "name": names}, target="y", drop=["name"])
        assert any("also stand in" in str(note) for note in data.notes) == told


def test_raw_rows_go_in_again_as_their_file_spells_them(tmp_path: Path) -> None:
    path = csv_of(tmp_path, {**TABLE, "zip": [f"{n % 20:03d}" if n % 3 else f"{n % 20}" for n in range(ROWS)]})
    data = load(path, target="price", types={"zip": "category"}, columns=["zip"])
    read = data.making and data.making.read()
    assert isinstance(read, ReadSource)
    assert read.raw is not None
    assert data.numbers is not None
    raw = read.raw(data.numbers[:10].tolist(), data.encoder)
    x, _ = next(data.batches("train", 10, device=torch.device("cpu")))
    assert data.encode(raw.samples).equal(x)


def test_titanic_with_its_classes_as_categories(data_root: Path, tmp_path: Path) -> None:
    data = load(data_root / "titanic.csv", target="Survived", drop=["Name", "Ticket"], types={"Pclass": "category"})
    assert {"Pclass = 1", "Pclass = 2", "Pclass = 3"} <= {*data.encoder.facts()["features"]}
    run = fit("mlp", data, epochs=3, folder=tmp_path / "run", progress=False)
    assert run.score["test"]["accuracy"] > 0.7
    again = Run(run.folder)
    frame = polars.read_csv(data_root / "titanic.csv")
    assert (again.predict(frame) == run.predict(data_root / "titanic.csv")).all()
    assert (again.predict(frame.with_columns(polars.col("Pclass").cast(str))) == again.predict(frame)).all()
