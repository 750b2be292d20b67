"""Contour lines lie where the loss is what they say."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import view_samples as made
from danlu.store.records import record_of
from danlu.view.info.surface import Surface, contour, levels, read_surface, spans_powers

HEIGHTS = st.lists(st.floats(0.1, 10), min_size=16, max_size=16)


def at(row: Sequence[float | None], column: int) -> float:
    height = row[column]
    assert height is not None
    return height


def grid(heights: list[float]) -> Surface:
    places = (0.0, 1.0, 2.0, 3.0)
    return Surface(places, places, tuple(tuple(heights[4 * row : 4 * row + 4]) for row in range(4)))


@given(HEIGHTS, st.floats(0.1, 10))
def test_each_point_of_a_contour_lies_on_an_edge_at_its_level(heights: list[float], level: float) -> None:
    surface = grid(heights)
    for x, y in contour(surface, level):
        if x is None or y is None:
            continue
        low_x, low_y = min(int(x), 2), min(int(y), 2)
        assert x == int(x) or y == int(y), "on an edge of the grid"
        # Along an edge the height is linear.
        a, b = surface.losses[low_y], surface.losses[low_y + 1]
        along = [at(row, low_x) + (x - low_x) * (at(row, low_x + 1) - at(row, low_x)) for row in (a, b)]
        assert along[0] + (y - low_y) * (along[1] - along[0]) == pytest.approx(level, abs=1e-6)


def test_a_saddle_is_crossed_by_two_lines() -> None:
    saddle = Surface((0.0, 1.0), (0.0, 1.0), ((0.0, 2.0), (2.0, 0.0)))
    end = (None, None)
    # The middle is as high as 1: a line below that goes round each low corner, one above round each high one.
    assert contour(saddle, 0.5) == ((1.0, 0.75), (0.75, 1.0), end, (0.0, 0.25), (0.25, 0.0), end)
    assert contour(saddle, 1.5) == ((0.75, 0.0), (1.0, 0.25), end, (0.25, 1.0), (0.0, 0.75), end)


def test_the_surface_survives_its_record() -> None:
    assert read_surface(made.bowl().record()) == made.bowl()
    assert made.bowl().lowest == (1.0, -1.0, 0.0)


@pytest.mark.parametrize(
    "change", [{"losses": [[1.0]]}, {"xs": [1.0], "losses": [[1.0]] * 5}, {"ys": []}, {"losses": [[1, 2], [3]]}]
)
def test_a_surface_that_is_no_grid_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a row for each y"):
        record_of(made.bowl().record().to_json() | change)


def test_levels_lie_between_the_lowest_and_the_highest() -> None:
    assert levels(made.bowl(), 3, log=False) == pytest.approx((11.25, 22.5, 33.75))
    assert levels(Surface((0.0, 1.0), (0.0, 1.0), ((1.0, 1.0), (1.0, None)))) == ()
    assert spans_powers([[1.0, 500.0]])
    assert not spans_powers([[0.0, 500.0]])
