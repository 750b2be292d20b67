"""A curve made short keeps what people look for: its ends, spikes, dips and gaps."""

import math

from hypothesis import given
from hypothesis import strategies as st

from danlu.view.info.thin import thin

CURVES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


@given(CURVES, st.integers(4, 50))
def test_extremes_and_ends_stay(values: list[float], most: int) -> None:
    trace = thin(range(len(values)), values, most)
    kept = [value for value in trace.values if value is not None]
    assert min(kept) == min(values)
    assert max(kept) == max(values)
    assert (trace.steps[0], trace.steps[-1]) == (0, len(values) - 1)
    assert len(trace) <= max(most, 8) or len(trace) == len(values)


@given(CURVES, st.integers(4, 50))
def test_what_stays_is_as_it_was_and_in_its_order(values: list[float], most: int) -> None:
    trace = thin(range(len(values)), values, most)
    assert list(trace.steps) == sorted(set(trace.steps))
    assert [values[int(step)] for step in trace.steps] == list(trace.values)


@given(st.integers(20, 400), st.integers(0, 399), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_step_that_is_not_finite_stays_a_gap(count: int, at: int, broken: float) -> None:
    values = [1.0] * count
    values[at % count] = broken
    trace = thin(range(count), values, 16)
    assert at % count in trace.steps
    assert trace.values[trace.steps.index(at % count)] is None


def test_a_million_points_of_nothing_but_gaps() -> None:
    trace = thin(range(100_000), [math.nan] * 100_000, 2000)
    assert set(trace.values) == {None}
    assert 0 < len(trace) <= 2000


def test_a_short_curve_is_left_as_it_is() -> None:
    assert thin([1, 5, 9], [3.0, None, 1.0]).values == (3.0, None, 1.0)
    assert len(thin([], [])) == 0
