"""Whatever form samples come in, the answers are the same; what cannot be taken is told item by item."""

from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

import danlu
from danlu.base.errors import UserError
from every_kind import TABLE, digits, pictures, prices, table, trained


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, danlu.Run]:
    place = tmp_path_factory.mktemp("runs")
    made: dict[str, danlu.Run] = {}
    for case in (table, prices, pictures, digits):
        (place / case.__name__).mkdir()
        made[case.__name__] = trained(case, place / case.__name__)[0]
    return made


def test_tables_in_every_form(runs: dict[str, danlu.Run], tmp_path: Path) -> None:
    run, rows = runs["table"], TABLE.drop("price").head(9)
    rows.write_csv(tmp_path / "rows.csv")
    rows.write_parquet(tmp_path / "rows.parquet")
    wanted = run.predict_proba(rows)
    forms: list[Any] = [
        rows.to_dict(as_series=False),
        rows.to_dicts(),
        tmp_path / "rows.csv",
        str(tmp_path / "rows.parquet"),
    ]
    for form in forms:
        assert numpy.array_equal(run.predict_proba(form), wanted)
    twice = run.predict([tmp_path / "rows.csv", tmp_path / "rows.parquet"])
    assert twice.tolist() == [*run.predict(rows), *run.predict(rows)]


def test_a_pandas_frame(runs: dict[str, danlu.Run]) -> None:
    pandas = pytest.importorskip("pandas")
    rows = TABLE.head(9)
    frame = pandas.DataFrame(rows.to_dict(as_series=False))
    assert numpy.array_equal(runs["table"].predict(frame), runs["table"].predict(rows))


def assert_rows_are_taken(run: danlu.Run, rows: list[Any]) -> None:
    wanted = run.predict_proba(TABLE.head(len(rows)))
    assert numpy.array_equal(run.predict_proba(rows), wanted)
    for number, row in enumerate(rows):
        assert numpy.allclose(run.predict_proba(row), wanted[number : number + 1], atol=1e-6)
        assert run.evaluate(row) == run.evaluate(TABLE[number])


def test_rows_as_named_tuples(runs: dict[str, danlu.Run]) -> None:
    named: Any = namedtuple("named", ["Index", *TABLE.columns])  # as pandas' frame.itertuples() gives them
    assert_rows_are_taken(runs["table"], [named(number, *row) for number, row in enumerate(TABLE.head(3).rows())])


def test_rows_of_a_pandas_frame(runs: dict[str, danlu.Run]) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TABLE.head(3).to_dict(as_series=False))
    assert_rows_are_taken(runs["table"], [frame.iloc[row] for row in range(3)])
    gap = frame.astype({"town": object})
    gap.loc[0, ["a", "town"]] = None
    assert numpy.array_equal(runs["table"].predict_proba(gap.iloc[0]), runs["table"].predict_proba(gap.head(1)))


def test_pictures_in_every_form(runs: dict[str, danlu.Run], tmp_path: Path) -> None:
    run = runs["pictures"]
    pixels = numpy.random.default_rng(1).integers(0, 255, (30, 20, 3), dtype=numpy.uint8)
    upright = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees: it lies on its side in the file
    upright.rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    upright.save(tmp_path / "upright.png")
    wanted = run.predict_proba(upright)
    with Image.open(tmp_path / "turned.png") as lazily:
        forms: list[Any] = [[upright], tmp_path / "turned.png", str(tmp_path / "upright.png"), lazily]
        for form in forms:
            assert numpy.array_equal(run.predict_proba(form), wanted)
    assert len(run.predict([upright, tmp_path / "turned.png", upright.convert("RGBA"), upright.convert("P")])) == 4
    assert len(run.predict(tmp_path)) == 2
    assert len(runs["digits"].predict([upright, upright.convert("L")])) == 2


def test_bytes_of_any_size_are_brought_to_that_of_the_files(runs: dict[str, danlu.Run]) -> None:
    run, pixels = runs["pictures"], numpy.random.default_rng(1).integers(0, 255, (4, 30, 20, 3), dtype=numpy.uint8)
    wanted = run.predict_proba([Image.fromarray(one) for one in pixels])
    for stack in (pixels, [*pixels], pixels.transpose(0, 3, 1, 2).copy()):
        assert numpy.allclose(run.predict_proba(stack), wanted)
    grey = numpy.stack([numpy.asarray(Image.fromarray(one).convert("L")) for one in pixels])
    assert numpy.allclose(run.predict_proba(grey), wanted)
    assert numpy.allclose(run.predict_proba(grey[0]), wanted[:1])


BAD: list[tuple[str, Any, str]] = [
    ("table", [{"a": 1.0, "b": 2.0, "town": "Ulm"}, {"a": 1.0}], "row 2 lacks b, town"),
    ("table", ["nowhere.csv"], r"nowhere\.csv"),
    ("table", ["Ulm", "Bonn"], "Ulm is no file.* a, b, town"),
    ("table", [Path("x.csv"), {"a": 1}], "one form"),
    ("table", Image.new("L", (9, 9)), "no images"),
    ("pictures", ["a.png", "b.png"], r"1: .*a\.png[\s\S]*2: .*b\.png"),
    ("pictures", [Image.new("L", (9, 9)), 3], "one form"),
]


@pytest.mark.parametrize(("name", "given", "told"), BAD)
def test_what_cannot_be_taken(name: str, given: Any, told: str, runs: dict[str, danlu.Run]) -> None:
    with pytest.raises(UserError, match=told):
        runs[name].predict(given)


def test_scores_in_every_form(runs: dict[str, danlu.Run], tmp_path: Path) -> None:
    for name, column in (("table", "kind"), ("prices", "price")):
        run, rows = runs[name], TABLE.drop("price" if name == "table" else "kind")
        rows.write_csv(tmp_path / "rows.csv")
        wanted = run.evaluate(tmp_path / "rows.csv")
        forms: list[Any] = [rows, rows.to_dict(as_series=False), rows.to_dicts(), (rows, rows[column].to_list())]
        for form in forms:
            assert run.evaluate(form) == pytest.approx(wanted, nan_ok=True)
        test = {key: value for key, value in run.score["test"].items() if key != "loss"}
        found = run.evaluate(run.samples)
        assert {key: found[key] for key in test} == pytest.approx(test)


def test_data_prepared_otherwise_are_scored_as_the_run_prepares_them(runs: dict[str, danlu.Run]) -> None:
    other = danlu.load(TABLE.drop("price").tail(80), target="kind", test=0.5)
    assert 0 <= runs["table"].evaluate(other)["accuracy"] <= 1
    with pytest.raises(UserError, match="no samples in the part"):
        runs["table"].evaluate(other, part="nothing")
    with pytest.raises(UserError, match="regression"):
        runs["table"].evaluate(danlu.load((numpy.zeros((40, 2)), numpy.arange(40.0))))
    with pytest.raises(UserError, match=r"x has 3|3 .*2"):
        runs["prices"].evaluate((TABLE.head(3), [1.0, 2.0]))


def test_no_sample_is_told(runs: dict[str, danlu.Run], language: str) -> None:
    none = {"table": TABLE.drop("price").head(0).lazy(), "digits": numpy.empty((0, 8, 8))}
    for name, given in none.items():
        with pytest.raises(UserError, match={"en": "no sample", "zh": "没有可以预测的样本"}[language]):
            runs[name].predict(given)
