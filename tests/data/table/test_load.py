"""Tables with a target: the task, the real files, and what is refused."""

from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import load

CPU = torch.device("cpu")
A = [float(n * n % 17) for n in range(60)]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["no", "yes"] * 30, "classification", ("no", "yes")),
        ([True, False] * 30, "classification", ("False", "True")),
        ([0, 1] * 30, "classification", ("0", "1")),
        ([1, 2, 3] * 20, "classification", ("1", "2", "3")),
        ([n % 12 for n in range(60)], "classification", tuple(str(n) for n in range(12))),
        ([n % 13 for n in range(60)], "regression", ()),
        ([n % 21 for n in range(60)], "regression", ()),
        ([float(n % 2) for n in range(60)], "regression", ()),
    ],
)
def test_the_task_is_told_from_the_target(values: list[Any], task: str, classes: tuple[str, ...]) -> None:
    data = load({"a": A, "y": values}, target="y")
    assert (data.task, data.classes) == (task, classes)


def test_whole_numbers_as_a_target_are_told_and_the_task_can_be_said() -> None:
    table = {"a": A, "y": [0, 1] * 30}
    assert [note.id for note in load(table, target="y").notes][:1] == ["data.told-classification"]
    said = load(table, target="y", task="regression")
    assert said.task == "regression"
    assert not any(note.id.startswith("data.told") for note in said.notes)


@pytest.mark.parametrize("values", [["no", "yes"] * 30, [True, False] * 30, [3, 7] * 30])
def test_labels_come_back_as_they_were(values: list[Any]) -> None:
    data = load({"a": A, "y": values}, target="y", validation=0, test=0)
    _, y = next(data.batches("train", 60, device=CPU))
    assert data.decode(y).tolist() == values


def test_a_quantity_is_standardised_by_the_training_part_and_comes_back() -> None:
    values = [n * 1.5 + 100 for n in range(60)]
    data = load({"a": A, "y": values}, target="y")
    _, y = next(data.batches("train", 60, device=CPU, dtype=torch.float64))
    assert y.shape == (42, 1)
    assert y.mean().item() == pytest.approx(0, abs=1e-12)
    assert y.std(correction=0).item() == pytest.approx(1)
    assert set(numpy.round(data.decode(y), 6)) <= set(values)
    plain = load({"a": A, "y": values}, target="y", standardise=False)
    assert plain.target_scale.item() == 1
    assert set(next(plain.batches("train", 60, device=CPU))[1].flatten().tolist()) <= set(values)


def test_the_same_rows_from_a_frame_a_dict_and_a_file_are_the_same_data(tmp_path: Path) -> None:
    frame = polars.DataFrame({"a": A, "kind": ["u", "v", "w"] * 20, "y": [0, 1] * 30})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    sources = [frame, frame.to_dict(as_series=False), tmp_path / "t.csv", str(tmp_path / "t.parquet")]
    assert len({load(source, target="y").fingerprint() for source in sources}) == 1


BAD = [
    ({"y": ["a", "b"] * 30}, None, r"which column is to be predicted\?.*columns are a, y", "要预测哪一列？.*a, y"),
    ({"yy": ["a", "b"] * 30}, "y", r'no column "y" to predict; .*Did you mean "yy"', '没有名为 "y" 的目标列.*"yy"'),
    ({"y": [2] * 60}, "y", r'column "y": every target is 2', '"y" 列：目标值全都是 2'),
    ({"y": [1.5, None] * 30}, "y", r"missing or not finite: 30, the first in row 2", "有 30 个目标值缺失.*第 2 行"),
    (
        {"y": ["a", "b", None] * 20},
        "y",
        r"missing or not finite: 20, the first in row 3",
        "有 20 个目标值缺失.*第 3 行",
    ),
    (
        {"y": [0, 1] * 30, "b": [1.0] * 59 + [numpy.inf]},
        "y",
        r'"b": infinite values: 1, .* row 60',
        '"b" 列：.*第 60 行',
    ),
    ({"y": [f"name {n}" for n in range(60)]}, "y", r"all 60 labels differ", "60 个标签各不相同"),
]


@pytest.mark.parametrize(("columns", "target", "english", "chinese"), BAD)
def test_bad_tables_are_refused(
    columns: dict[str, list[Any]], target: str | None, english: str, chinese: str, language: str
) -> None:
    frame = polars.DataFrame({"a": A, **columns})
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(frame, target=target)


def test_text_is_no_quantity(language: str) -> None:
    words = {"en": 'a regression predicts numbers.*"a"', "zh": '回归预测的是数值.*"a"'}
    with pytest.raises(UserError, match=words[language]):
        load({"a": A, "y": ["a", "b"] * 30}, target="y", task="regression")


def test_a_class_with_one_row_does_no_harm() -> None:
    data = load({"a": A, "y": ["a", "b"] * 29 + ["a", "rare"]}, target="y")
    assert data.facts()["classes"]["rare"] == {"train": 1, "validation": 0, "test": 0}


def test_columns_of_different_length_are_refused(language: str) -> None:
    with pytest.raises(UserError, match={"en": "rows differ in length", "zh": "各行长度不一致"}[language]):
        load({"a": A, "y": [0, 1]}, target="y")


class PandasLike:
    """What a pandas DataFrame shows of itself to those who do not import pandas."""

    class Column:
        def __init__(self, values: list[Any]) -> None:
            self.values = values

        def tolist(self) -> list[Any]:
            return self.values

        def isna(self) -> numpy.ndarray:
            return numpy.array([value is None or value != value for value in self.values])

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.held = columns
        self.columns = list(columns)

    def __getitem__(self, name: str) -> Any:
        return self.Column(self.held[name])


def test_a_pandas_frame_is_read_without_pandas() -> None:
    columns = {"a": [float("nan"), *A[1:]], "kind": ["u", None, "w"] * 20, "y": [0, 1] * 30}
    like = type("DataFrame", (PandasLike,), {})(columns)
    plain = {**columns, "a": [None, *A[1:]]}
    assert load(like, target="y").fingerprint() == load(plain, target="y").fingerprint()


def test_titanic(data_root: Path) -> None:
    data = load(data_root / "titanic.csv", target="Survived")
    assert (data.name, data.task, data.classes, data.sample_shape) == ("titanic", "classification", ("0", "1"), (12,))
    assert sum(data.sizes.values()) == 891
    told = {note.values["column"]: note.id.removeprefix("data.") for note in data.notes}
    assert told == {
        "Survived": "told-classification",
        "PassengerId": "dropped-identifier",
        "Name": "dropped-prose",
        "Ticket": "dropped-text",
        "Cabin": "dropped-text",
        "Age": "imputed",
    }
    assert data.facts()["features"] == [
        "Pclass", "Sex = female", "Sex = male", "Age", "Age: missing", "SibSp", "Parch", "Fare",
        "Embarked = C", "Embarked = Q", "Embarked = S", "Embarked: missing",
    ]  # fmt: skip
    row = {"Pclass": 3, "Sex": "male", "Age": None, "SibSp": 1, "Parch": 0, "Fare": 7.25, "Embarked": "S"}
    assert data.encode(row).shape == (1, 12)


def test_house_prices(data_root: Path) -> None:
    data = load(data_root / "kaggle_house_pred_train.csv", target="SalePrice")
    assert (data.task, data.outputs, sum(data.sizes.values())) == ("regression", 1, 1460)
    assert 50_000 < data.target_scale.item() < 120_000
    dropped = {note.values["column"] for note in data.notes if note.id.startswith("data.dropped")}
    assert {"Id"} <= dropped <= {"Id", "Utilities"}
    x = torch.cat([x for part in data.sizes for x, _ in data.batches(part, 500, device=CPU)])
    assert torch.isfinite(x).all()


def test_linear_regression_on_california_housing_is_as_good_as_with_scikit_learns_own_encoders(data_root: Path) -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import r2_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from danlu.data.readers.table_file import read_table
    from danlu.data.split import split
    from danlu.data.table.infer import interpret

    path = data_root / "california-housing.tgz"
    data = load(path, target="median_house_value")
    assert (data.task, data.sizes) == ("regression", {"train": 14448, "validation": 2064, "test": 4128})
    ours = {part: next(data.batches(part, 20640, device=CPU, dtype=torch.float64)) for part in ("train", "test")}
    fitted = LinearRegression().fit(ours["train"][0].numpy(), ours["train"][1].numpy())
    truth = data.decode(ours["test"][1])
    score = r2_score(truth, data.decode(torch.from_numpy(fitted.predict(ours["test"][0].numpy()))))

    table = interpret(read_table(path))
    values = {name: column.values for name, column in table.items()}
    y = values.pop("median_house_value")
    kinds = values.pop("ocean_proximity")
    x = numpy.column_stack([*values.values(), kinds])
    rows = split(len(y), 0.1, 0.2, 0)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    encoder = make_column_transformer((numbers, list(range(8))), (OneHotEncoder(), [8]))
    model = make_pipeline(encoder, LinearRegression()).fit(x[rows["train"].numpy()], y[rows["train"].numpy()])
    assert numpy.allclose(truth, y[rows["test"].numpy()], rtol=1e-5)
    assert score == pytest.approx(r2_score(y[rows["test"].numpy()], model.predict(x[rows["test"].numpy()])), abs=1e-4)
    assert 0.6 < score < 0.7


@pytest.mark.parametrize("standardise", [True, False, None])
def test_numbers_too_small_for_float32_are_told_where_they_vanish(standardise: bool | None) -> None:
    tiny = [1e-60 * (row % 7) for row in range(40)]
    data = load({"a": tiny, "y": ["x", "z"] * 20}, target="y", standardise=standardise)
    told = [note.values["count"] for note in data.notes if note.id == "data.vanished"]
    assert bool(told) == (standardise is False)


def test_a_name_that_is_no_text_is_refused(language: str) -> None:
    with pytest.raises(UserError, match={"en": "no text", "zh": "不是文本"}[language]):
        load({"a\ud800": [1, 2] * 20, "y": ["x", "z"] * 20}, target="y")
