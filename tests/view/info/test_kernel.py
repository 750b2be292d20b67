"""The smoothed curve comes neither late nor early, whatever the kernel's width."""

import math
import random

import pytest

from danlu.base.smoothing import smooth
from danlu.view.info.kernel import kernel_smooth, sigma_of

SIGMAS = (1.0, 3.0, 9.487, 20.0, 50.0, 200.0)
LONG = 4000


def crossing(places: list[float], values: list[float | None]) -> float:
    """Where the curve first lies below a half."""
    return next(at for at, value in zip(places, values, strict=True) if value is not None and value < 0.5)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_it_does_not_lag_behind_a_jump(sigma: float) -> None:
    jump = [1.0] * (LONG // 2) + [0.0] * (LONG // 2)
    places, values = kernel_smooth(jump, sigma)
    wide = max(1, int(sigma / 8))
    assert abs(crossing(places, values) - (LONG // 2 - 0.5)) <= wide, "within a column of the jump"
    beta = next(share / 1e4 for share in range(1, 10001) if sigma_of(share / 1e4) <= sigma)
    late = crossing(list(range(LONG)), list(smooth(jump, beta))) - (LONG // 2)
    assert sigma < 3 or late >= 0.5 * sigma, "as exponential smoothing of the same width does"


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_straight_line_stays_as_it_is_at_its_ends_too(sigma: float) -> None:
    places, values = kernel_smooth([5.0 - 0.01 * step for step in range(LONG)], sigma)
    assert values == pytest.approx([5.0 - 0.01 * at for at in places], abs=1e-9)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_noise_is_smoothed_and_the_trend_is_kept(sigma: float) -> None:
    draw = random.Random(0)
    clean = [math.exp(-step / 2000) for step in range(LONG)]
    noisy = [value + draw.gauss(0, 0.1) for value in clean]
    places, values = kernel_smooth(noisy, sigma)
    errors = [abs(float(value or 0) - clean[round(at)]) for at, value in zip(places, values, strict=True)]
    before = sum(abs(one - two) for one, two in zip(noisy, clean, strict=True)) / LONG
    assert sum(errors) / len(errors) < 1.2 * before / max(1.0, sigma) ** 0.4


@pytest.mark.parametrize("sigma", [0.0, *SIGMAS])
def test_a_curve_that_falls_steeply_never_leaves_its_numbers(sigma: float) -> None:
    curve = [10.0**-step for step in range(30)]
    _, values = kernel_smooth(curve, sigma)
    assert all(value is not None and 1e-29 <= value <= 1 for value in values)


def test_gaps_stay_gaps_and_do_not_spread() -> None:
    curve: list[float | None] = [1.0, None, math.nan, math.inf, 1.0, 1.0]
    _, values = kernel_smooth(curve, 2.0)
    assert [value is None for value in values] == [False, True, True, True, False, False]
    assert [value for value in values if value is not None] == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("curve", [[], [None], [math.nan] * 3, [2.0], [2.0, None, None]])
@pytest.mark.parametrize("sigma", [0.0, 1.0, 1000.0])
def test_what_is_short_or_empty_is_drawn_as_it_is(curve: list[float | None], sigma: float) -> None:
    _, values = kernel_smooth(curve, sigma)
    assert [value for value in values if value is not None] == [value for value in curve if value == 2.0]


def test_a_spike_reaches_no_further_than_the_kernel() -> None:
    curve = [1.0] * 200
    curve[100] = 1e30
    _, values = kernel_smooth(curve, 3.0)
    assert values[:90] == pytest.approx([1.0] * 90)
    assert values[111:] == pytest.approx([1.0] * 89)
