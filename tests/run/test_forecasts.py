"""A time series from file to forecasts: fitted, told beside the naive ones, resumed, answered from the folder alone."""

import math
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest

import danlu
from danlu.base.errors import UserError
from danlu.store.run_folder import RunFolder
from danlu.view.info.run import run_info_of
from danlu.view.report import run_report
from interruption import assert_same_end, interrupt_at

ROWS = 96
SETTINGS: dict[str, Any] = {"target": "sales", "window": 12, "progress": False}


@pytest.fixture
def monthly(tmp_path: Path) -> Path:
    """Eight years of months with a trend and a season of twelve."""
    months = [f"{2010 + month // 12}-{month % 12 + 1:02}" for month in range(ROWS)]
    sales = [100 + month + 20 * math.sin(month * math.pi / 6) + month * 7 % 5 for month in range(ROWS)]
    path = tmp_path / "monthly.csv"
    polars.DataFrame({"month": months, "sales": sales}).write_csv(path)
    return path


def fitted(monthly: Path, name: str = "run", **settings: Any) -> danlu.Run:
    return danlu.fit(data=monthly, folder=monthly.parent / name, **{**SETTINGS, "epochs": 30, **settings})


def test_a_series_is_forecast_better_than_by_the_naive_forecasts(monthly: Path) -> None:
    run = fitted(monthly)
    assert run.recipe.net.name == "lstm"
    assert run.recipe.net.options["shortcut"] == "linear"
    assert list(run.baselines) == ["last-value", "seasonal-naive"]
    assert run.score["test"]["mase"] < min(score["mase"] for score in run.baselines.values())
    assert not run.findings
    data = run.data
    assert run.score["test"]["mase"] == pytest.approx(run.score["test"]["mae"] / data.naive_error)
    assert run.baselines["seasonal-naive"]["mae"] == pytest.approx(12, abs=3)
    assert run.as_dict()["baselines"] == run.baselines
    report = run_report(run_info_of(RunFolder(run.folder)))
    assert "a season ago" in report
    assert "forecasts of the test part, 1 step ahead" in report


def test_it_is_said_where_a_naive_forecast_is_as_good(monthly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = fitted(monthly, epochs=1, lr=1e-9, shortcut="none")
    assert "no better than" in capsys.readouterr().err
    assert "! No better than this naive forecast" in str(run)


@pytest.mark.every(3)
@pytest.mark.parametrize("net", ["lstm", "tcn", "mlp"])
def test_interrupted_and_resumed_ends_bit_identical(monthly: Path, monkeypatch: pytest.MonkeyPatch, net: str) -> None:
    settings = {"net": net, "epochs": 3, "dropout": 0.2, "horizon": 2}
    whole = fitted(monthly, "whole", **settings)
    interrupt_at(monkeypatch, 2, 7)
    with pytest.raises(danlu.Interrupted, match="broken"):
        fitted(monthly, "broken", **settings)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.resume(monthly.parent / "broken", progress=False)
    broken = danlu.resume(monthly.parent / "broken", progress=False)
    assert_same_end(whole, broken)
    assert broken.baselines == whole.baselines


def test_raw_rows_are_answered_behind_every_window_from_the_folder_alone(monthly: Path) -> None:
    run, rows = fitted(monthly, horizon=3, epochs=5), polars.read_csv(monthly)
    monthly.unlink()
    alone = danlu.Run(run.folder)
    every = alone.predict(rows)
    assert every.shape == (ROWS - 11, 3)
    numpy.testing.assert_allclose(alone.predict(rows.sample(fraction=1, shuffle=True, seed=1)), every)
    numpy.testing.assert_allclose(alone.predict(rows.tail(12))[-1], every[-1], rtol=1e-4)
    assert alone.predict(rows.to_dicts()).shape == every.shape
    with pytest.raises(UserError, match="12 rows"):
        alone.predict(rows.tail(11))
    with pytest.raises(UserError, match="month"):
        alone.predict(rows.drop("month"))
    with pytest.raises(UserError, match="sales.*row 3"):
        alone.predict(
            rows.with_row_index().with_columns(
                sales=polars.when(polars.col("index") == 2).then(None).otherwise(polars.col("sales"))
            )
        )


def test_rows_to_come_without_a_target_may_stand_behind_the_others(monthly: Path) -> None:
    run, rows = fitted(monthly, epochs=1), polars.read_csv(monthly)
    to_come = with_months(rows, ["2018-01", "2018-02"])
    numpy.testing.assert_array_equal(run.predict(to_come), run.predict(rows))


def with_months(rows: polars.DataFrame, months: list[str]) -> polars.DataFrame:
    """The rows with months to come behind them."""
    later = polars.DataFrame({"month": months, "sales": [None] * len(months)}, schema_overrides=rows.schema)
    return polars.concat([rows, later])


def test_a_file_is_answered_row_by_row_and_scored_where_it_knows_what_came(monthly: Path) -> None:
    run = fitted(monthly, epochs=5)
    (prediction,) = run.predict_files(monthly)
    records = prediction.records(run.preprocessing, 1, run.error_band)
    assert records[0].keys() == {"file", "row", "month", "answer"}
    assert (records[-1]["row"], records[-1]["month"]) == (str(ROWS + 1), "2017-12")
    assert records[-1]["answer"] == pytest.approx(run.predict(monthly)[-1])
    whole, test = run.evaluate(monthly), run.evaluate(run.samples)
    assert test["mae"] == pytest.approx(run.score["test"]["mae"], rel=1e-4)
    assert whole["mae"] != pytest.approx(test["mae"], rel=1e-4)


@pytest.mark.every(2)
@pytest.mark.parametrize("path", ["run.onnx", "run.pt2", "hub"])
def test_it_is_exported_in_every_form(monthly: Path, path: str) -> None:
    run = fitted(monthly, epochs=1)
    run.export(monthly.parent / path)
    assert (monthly.parent / path).exists()


def test_members_of_a_stack_have_the_scaled_error_too(monthly: Path) -> None:
    data = danlu.load(monthly, target="sales", window=12)
    study = danlu.compare(
        "mlp",
        data,
        vary={"lr": [0.001, 0.01]},
        seeds=2,
        epochs=2,
        metric="mase",
        folder=monthly.parent / "s",
        progress=False,
    )
    for member in study.members:
        assert member.score["mase"] == pytest.approx(member.score["mae"] / data.naive_error, rel=1e-6)
