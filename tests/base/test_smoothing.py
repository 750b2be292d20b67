"""C'ᵢ = βCᵢ + (1-β)C'ᵢ₋₁."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.smoothing import smooth

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=20)
BETAS = st.floats(0.01, 1.0)


def test_the_formula() -> None:
    assert smooth([4.0, 0.0, 8.0], beta=0.25) == [4.0, 3.0, 4.25]


def test_beta_one_changes_nothing() -> None:
    assert smooth([3.0, -1.0, 2.0], beta=1.0) == [3.0, -1.0, 2.0]


@given(NUMBERS, BETAS)
def test_smoothed_values_stay_between_the_extremes(values: list[float], beta: float) -> None:
    smoothed = smooth(values, beta)
    assert len(smoothed) == len(values)
    assert all(min(values) - 1e-6 <= value <= max(values) + 1e-6 for value in smoothed)


@given(NUMBERS, NUMBERS, BETAS)
def test_going_on_equals_doing_it_at_once(first: list[float], second: list[float], beta: float) -> None:
    begun = smooth(first, beta)
    assert begun + smooth(second, beta, begun[-1] if begun else None) == pytest.approx(smooth(first + second, beta))
