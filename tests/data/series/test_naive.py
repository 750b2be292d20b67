"""Naive forecasts and the season that they go by."""

import numpy
import pytest

from danlu.data.series.naive import Values, filled, naive_error, season_of, seasonal_forecast
from danlu.data.series.order import Stretch

STEPS = numpy.arange(120)


def stretch(values: numpy.ndarray, places: numpy.ndarray | None = None) -> Stretch:
    rows = numpy.arange(len(values))
    return Stretch(0, rows, rows if places is None else places)


@pytest.mark.parametrize("season", [2, 4, 7, 12, 30])
@pytest.mark.parametrize("trend", [0.0, 0.5])
def test_a_season_is_found_with_noise_and_trend(season: int, trend: float) -> None:
    noise = numpy.random.default_rng(season).normal(size=120)
    values = 10 * numpy.sin(2 * numpy.pi * STEPS / season + 0.3) + trend * STEPS + noise
    assert season_of([values]) == season


def test_walks_and_noise_hardly_ever_have_a_season() -> None:
    draws = numpy.random.default_rng(0).normal(size=(2, 100, 200))
    found = [season_of([values]) for values in (*draws[0].cumsum(1), *draws[1])]
    assert sum(season > 1 for season in found) <= 6


def test_a_length_near_a_natural_one_is_that_one() -> None:
    values = numpy.sin(2 * numpy.pi * numpy.arange(400) / 97)
    assert season_of([values], (100,)) == 100
    assert season_of([values]) != 100


@pytest.mark.parametrize("values", [numpy.ones(50), numpy.arange(50.0), numpy.zeros(3), numpy.empty(0)])
def test_what_has_no_season_has_none(values: numpy.ndarray) -> None:
    assert season_of([values]) == 1


def test_the_naive_error_is_that_of_hyndman_and_koehler() -> None:
    values = numpy.array([1.0, 3, 2, 6])
    assert naive_error([stretch(values)], values, 1) == pytest.approx((2 + 1 + 4) / 3)
    assert naive_error([stretch(values)], values, 2) == pytest.approx((1 + 3) / 2)
    assert naive_error([stretch(values)], values, 4) is None


def test_the_naive_error_does_not_go_over_a_gap() -> None:
    values = numpy.array([1.0, 2, 100, 101])
    assert naive_error([stretch(values, numpy.array([0, 1, 5, 6]))], values, 1) == 1


def test_the_seasonal_forecast_is_the_same_season_also_further_ahead() -> None:
    values = numpy.arange(10.0)
    known = Values([stretch(values)], values)
    found = seasonal_forecast(known, numpy.zeros(1, int), numpy.array([9]), 5, 2)
    assert found.tolist() == [[8, 9, 8, 9, 8]]
    assert numpy.isnan(seasonal_forecast(known, numpy.zeros(1, int), numpy.array([1]), 1, 4)).all()


def test_holes_are_filled_with_straight_lines_unless_nearly_all_is_hole() -> None:
    assert filled(numpy.array([0, 2]), numpy.array([1.0, 3.0])).tolist() == [1, 2, 3]
    assert filled(numpy.array([0, 10**9]), numpy.array([1.0, 3.0])).tolist() == [1, 3]
