"""A table as a time series: windows, parts in the order of time, what is told, and what is refused."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.series.dataset import SeriesDataset

DAY = date(2020, 1, 1)
ROWS = 80


def days(count: int = ROWS, without: Sequence[int] = ()) -> list[str]:
    return [str(DAY + timedelta(one)) for one in range(count) if one not in without]


def table(count: int = ROWS, **columns: Any) -> dict[str, Any]:
    """The target of each row is its number, so that it says in a window which row it was."""
    return {"date": days(count), "temp": [float(one) for one in range(count)], **columns}


def series(given: Any, **options: Any) -> SeriesDataset:
    data = load(given, target="temp", **{"window": 5, **options})
    assert isinstance(data, SeriesDataset)
    return data


def told(data: SeriesDataset) -> list[str]:
    return [note.id.removeprefix("data.") for note in data.notes]


def rows_of(data: SeriesDataset, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows in the windows of a part and those behind them, where the target is the row's number."""
    first = sum(data.sizes[earlier] for earlier in ("train", "validation", "test")[: _at(part)])
    own = slice(first, first + data.sizes[part])
    mean, scale = data.target.mean[0], data.target.scale[0]  # type: ignore[union-attr]
    seen = (data.x[own, :, 0].double() * scale + mean).round().long()
    return seen, (data.y[own] * scale + mean).round().long()


def _at(part: str) -> int:
    return ("train", "validation", "test").index(part)


def test_windows_are_rows_that_follow_each_other_with_what_comes_next() -> None:
    data = series(table(wind=[float(one % 7) for one in range(ROWS)]), horizon=2)
    seen, next_ = rows_of(data, "train")
    assert data.sample_shape == (5, 2)
    assert data.outputs == 2
    assert data.encoder.features == ("temp", "wind")  # type: ignore[attr-defined]
    assert torch.equal(seen, seen[:, :1] + torch.arange(5))
    assert torch.equal(next_, seen[:, -1:] + torch.tensor([1, 2]))
    assert data.target.names == ("temp+1", "temp+2")  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(40, 120),
    window=st.integers(1, 10),
    horizon=st.integers(1, 5),
    cities=st.integers(1, 3),
    without=st.sets(st.integers(0, 119), max_size=3),
    order=st.randoms(use_true_random=False),
    shares=st.sampled_from([(0.1, 0.2), (0.2, 0.2), (0.0, 0.3)]),
)
def test_no_later_target_is_seen_in_training_and_the_encoder_sees_its_rows_alone(
    count: int, window: int, horizon: int, cities: int, without: set[int], order: Any, shares: tuple[float, float]
) -> None:
    rows = [(city, one) for city in range(cities) for one in range(count) if one not in without]
    order.shuffle(rows)
    columns = {
        "date": [str(DAY + timedelta(one)) for _, one in rows],
        "city": [f"c{city}" for city, _ in rows],
        "temp": [float(one + 1000 * city) for city, one in rows],
        "other": [float(one**2) for _, one in rows],
    }
    options = {"group": "city"} if cities > 1 else {}
    if cities == 1:
        del columns["city"]
    try:
        data = series(columns, window=window, horizon=horizon, validation=shares[0], test=shares[1], **options)
    except UserError as error:
        assert error.faults[0].id in ("data.series-too-few", "data.series-too-short")
        return
    parts = [part for part in ("train", "validation", "test") if data.sizes[part]]
    by_part = {part: [values % 1000 for values in rows_of(data, part)] for part in parts}
    trained = max(int(values.max()) for values in by_part["train"])
    for part in parts[1:]:
        assert int(by_part[part][1].min()) > trained
    if "validation" in parts:
        assert int(by_part["validation"][1].max()) < int(by_part["test"][1].min())
    for part in parts:  # nothing goes across a gap, or from one series into another
        seen, behind = rows_of(data, part)
        whole = torch.cat([seen, behind], 1)
        assert torch.equal(whole, whole[:, :1] + torch.arange(window + horizon))
        assert not any(set((row % 1000).tolist()) & without for row in whole)
    begin = min(int(by_part[part][1].min()) for part in parts[1:])
    known = [row for row, (_, one) in enumerate(rows) if one < begin]
    fitted = {column.name: column for column in data.encoder.columns}  # type: ignore[attr-defined]
    for name in ("temp", "other"):
        own = numpy.array(columns[name])[known]
        assert fitted[name].mean == pytest.approx(own.mean())
        assert fitted[name].scale == pytest.approx(own.std())


def test_later_rows_change_nothing_of_what_is_fitted() -> None:
    one, other = table(), table()
    other["temp"] = [value if row < 64 else -1e6 for row, value in enumerate(other["temp"])]
    first, second = series(one, season=1), series(other, season=1)
    assert first.encoder == second.encoder
    assert first.naive_error == second.naive_error


def test_rows_are_sorted_by_the_only_column_of_dates_and_it_is_told() -> None:
    shuffled = {name: list(reversed(values)) for name, values in table().items()}
    data = series(shuffled)
    assert torch.equal(data.x, series(table()).x)
    assert {"series-time-found", "series-sorted", "series-told", "series-test-from"} <= set(told(data))
    assert "date" not in data.encoder.features  # type: ignore[attr-defined]


def test_no_window_goes_over_a_missing_day_which_is_told() -> None:
    given = {"date": days(without=(20, 21)), "temp": [float(one) for one in range(ROWS) if one not in (20, 21)]}
    data = series(given)
    note = next(note for note in data.notes if note.id == "data.series-gaps")
    assert note.values == {"count": 1, "before": "2020-01-20", "after": "2020-01-23"}
    for part in ("train", "validation", "test"):
        seen, behind = rows_of(data, part)
        assert torch.equal(behind[:, 0] - seen[:, 0], torch.full((data.sizes[part],), 5))


@pytest.mark.parametrize("time", ["year", "rows", None])
def test_times_may_be_numbers_or_the_order_of_the_rows(time: str | None) -> None:
    given: dict[str, Any] = {"temp": [float(one % 9) for one in range(ROWS)]}
    given |= {"year": list(range(1900, 1900 + ROWS))} if time == "year" else {}
    given |= {"date": days()} if time is None else {}
    data = series(given, time=time)
    assert sum(data.sizes.values()) == ROWS - 5
    assert data.sample_shape == (5, 1)
    assert data.describe("train", 0, data.x[0]).startswith({"year": "1905", "rows": "5"}.get(time or "", "2020-01-06"))


def test_several_series_are_told_apart_and_each_is_known_to_the_net() -> None:
    count = ROWS // 2
    given = {
        "date": days(count) * 2,
        "city": ["Bern"] * count + ["Aarau"] * count,
        "temp": [float(one % 11) for one in range(2 * count)],
    }
    data = series(given, group="city")
    assert data.series_names == ("Bern", "Aarau")
    assert data.encoder.features == ("temp", "city = Aarau", "city = Bern")  # type: ignore[attr-defined]
    assert [name for name, _ in data.by_series("test")] == ["Bern", "Aarau"]
    assert data.describe("train", 0, data.x[0]) == "Bern · 2020-01-06"
    assert "series-told-group" in told(data)


def test_series_without_a_window_and_without_training_are_told() -> None:
    given = {
        "date": [*days(60), *days(3), *[str(DAY + timedelta(50 + one)) for one in range(10)]],
        "city": ["a"] * 60 + ["b"] * 3 + ["c"] * 10,
        "temp": [float(one % 11) for one in range(73)],
    }
    data = series(given, group="city")
    names = {note.id: note.values.get("names") for note in data.notes}
    assert (names["data.series-short"], names["data.series-untrained"]) == ("b", "c")


def test_series_of_different_size_are_told() -> None:
    given = {
        "date": days(40) * 2,
        "city": ["a"] * 40 + ["b"] * 40,
        "temp": [float(one * one % 11) * (1 if one < 40 else 100) for one in range(80)],
    }
    assert "series-unlike" in told(series(given, group="city"))


def test_the_naive_forecasts_are_those_of_the_very_windows() -> None:
    season = [float((one % 7) ** 2) + one / 10 for one in range(ROWS)]
    data = series({"date": days(), "temp": season}, horizon=2)
    assert data.season == 7
    naive, truth = data.naive("test"), data.truth("test")
    assert torch.allclose(naive["seasonal-naive"], truth - 0.7, atol=1e-9)
    past = torch.tensor(season, dtype=torch.float64)[ROWS - 2 - data.sizes["test"] : ROWS - 2]
    assert torch.allclose(naive["last-value"], past[:, None].expand(-1, 2))
    assert data.naive_error == pytest.approx(0.7)
    assert series({"date": days(), "temp": season}, season=1).naive("test").keys() == {"last-value"}


def test_parts_that_came_as_files_of_their_own_follow_each_other() -> None:
    whole = table()
    parts = {
        "train": {name: values[:60] for name, values in whole.items()},
        "test": {name: values[60:] for name, values in whole.items()},
    }
    data = series(parts)
    assert rows_of(data, "test")[1].flatten().tolist() == list(range(60, ROWS))
    assert int(rows_of(data, "validation")[1].max()) < 60
    with pytest.raises(UserError, match="test"):
        series({"train": parts["test"], "test": parts["train"]})


def test_folds_go_forward_in_time() -> None:
    data = series(table())
    folds = list(data.folds(3))
    for fold in folds:
        assert isinstance(fold, SeriesDataset)
        assert int(rows_of(fold, "train")[1].max()) < int(rows_of(fold, "validation")[1].min())
        assert torch.equal(rows_of(fold, "test")[1], rows_of(data, "test")[1])
    assert [fold.sizes["train"] for fold in folds] == sorted(fold.sizes["train"] for fold in folds)
    refit = data.refit()
    assert refit.sizes["train"] == data.sizes["train"] + data.sizes["validation"]


def test_missing_features_are_filled_in_from_the_training_part_and_told() -> None:
    wind = [None if one in (3, 70) else float(one) for one in range(ROWS)]
    data = series(table(wind=wind))
    assert "imputed" in told(data)
    assert bool(torch.isfinite(data.x).all())


def test_the_fingerprint_knows_window_horizon_and_values() -> None:
    changed = table()
    changed["temp"][3] = 99.0
    made = [series(table()), series(table(), window=6), series(table(), horizon=2), series(changed)]
    assert len({data.fingerprint() for data in made}) == 4
    assert series(table()).fingerprint() == made[0].fingerprint()


def without(name: str) -> dict[str, Any]:
    return {key: values for key, values in table().items() if key != name}


MISTAKES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "horizon of 0": (table(), {"horizon": 0}, "horizon"),
    "window of 0": (table(), {"window": 0}, "window"),
    "horizon without window": (table(), {"window": None, "horizon": 2}, "data.window"),
    "season without window": (table(), {"window": None, "season": 7}, "data.window"),
    "window longer than the series": (table(), {"window": 90}, "80"),
    "nothing left to validate": (table(20), {"window": 5, "horizon": 8}, "train|validation"),
    "no column of dates": (without("date") | {"a": [1.0, 2.0] * 40}, {}, "data.time"),
    "two columns of dates": (table(then=days()), {}, "date, then"),
    "no such time column": (table(), {"time": "dat"}, '"date"'),
    "no such group": (table(), {"group": "town"}, "town"),
    "time that is none": (table() | {"date": ["soon", *days()[1:]]}, {"time": "date"}, "soon"),
    "time missing": (table() | {"date": [None, *days()[1:]]}, {"time": "date"}, "row 1"),
    "text for time": (table(word=["a", "b"] * 40), {"time": "word"}, '"a"'),
    "time twice": (table() | {"date": [*days()[:-1], days()[0]]}, {}, "data.group"),
    "time twice in a series": (
        table(city=["a"] * ROWS) | {"date": [*days()[:-1], days()[0]]},
        {"group": "city"},
        '"a"',
    ),
    "group missing": (table(city=["a", None] * 40), {"group": "city"}, "row 2"),
    "target missing": (table() | {"temp": [None, *range(ROWS - 1)]}, {}, "row 1"),
    "target that is text": (table() | {"temp": ["x", "y"] * 40}, {}, "temp"),
    "target that is constant": (table() | {"temp": [1.0] * ROWS}, {}, "temp"),
    "target as time": (table(), {"time": "temp"}, "target"),
    "classification": (table(), {"task": "classification"}, "regression"),
    "reconstruction": (table(), {"task": "reconstruction"}, "data.window"),
    "season longer than the series": (table(), {"season": 500}, "500"),
    "infinite numbers": (table(wind=[float("inf")] * ROWS), {}, "wind"),
}


@pytest.mark.every(2)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, language: str) -> None:
    columns, options, wanted = MISTAKES[mistake]
    with pytest.raises(UserError, match=wanted if language == "en" else "[\u4e00-\u9fff]"):
        series(columns, **options)


def test_several_targets_are_refused() -> None:
    with pytest.raises(UserError, match="one target"):
        load(table(wind=[1.0, 2.0] * 40), target=["temp", "wind"], window=5)


def test_a_text_cell_among_dates_in_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "weather.csv"
    lines = [f"{day},{row % 9}.5" for row, day in enumerate(days())]
    lines[30] = "2020-13-45,1.5"
    path.write_text("date,temp\n" + "\n".join(lines))
    with pytest.raises(UserError, match="2020-13-45.*line 32"):
        series(str(path))


@pytest.mark.parametrize("option", ["window", "horizon", "season"])
def test_data_that_are_no_tables_have_no_windows(option: str) -> None:
    with pytest.raises(UserError, match=f"data.{option}"):
        load("digits", **{option: 3})


def test_frames_with_typed_dates_are_read() -> None:
    frame = polars.DataFrame(table()).with_columns(polars.col("date").str.to_date())
    assert torch.equal(series(frame).x, series(table()).x)


def test_series_that_take_turns_without_times_are_windows_when_they_are_asked() -> None:
    towns = {"town": ["Ulm", "Bonn"] * (ROWS // 2), "temp": [float(one) for one in range(ROWS)]}
    data = series(towns, time="rows", group="town")
    encoded = data.encode(towns)
    assert len(encoded) == 2 * (ROWS // 2 - 4)
    first = encoded[0, :, 0].double() * data.target.scale[0] + data.target.mean[0]  # type: ignore[union-attr]
    assert first.round().tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_no_window_crosses_from_one_table_of_a_list_into_the_next() -> None:
    data = series(table())
    halves = [{name: column[:40] for name, column in table().items()}, {n: c[40:] for n, c in table().items()}]
    whole, apart = data.encode(table()), data.encode(halves)
    assert torch.equal(apart, torch.cat([whole[:36], whole[40:]]))
    assert torch.equal(data.encode([polars.DataFrame(half) for half in halves]), apart)


def test_the_remarks_on_tables_of_a_list_are_told_once() -> None:
    data = series(table(wind=[float(one % 7) for one in range(ROWS)]))
    far = table(wind=[1e9] * ROWS)
    encoder: Any = data.encoder
    assert [note.id for note in encoder.remarks([far, far])] == [note.id for note in encoder.remarks(far)]
