"""Drawn digits look like those of the catalogue: as large, as thick, as centred, wherever somebody drew."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.ship.strokes import drawn, read_strokes

SEVEN = [[(0.1, 0.1), (0.6, 0.1), (0.3, 0.9)]]
place = st.floats(0, 1, allow_subnormal=False)
strokes = st.lists(st.lists(st.tuples(place, place), min_size=1, max_size=8), min_size=1, max_size=4)


def moved(scale: float, x: float, y: float) -> list[list[tuple[float, float]]]:
    return [[(scale * a + x, scale * b + y) for a, b in stroke] for stroke in SEVEN]


@pytest.mark.parametrize("side", [8, 28, 64])
@pytest.mark.parametrize("where", [(0.2, 0.7, 0.1), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0)])
def test_size_and_place_of_the_drawing_do_not_matter(side: int, where: tuple[float, float, float]) -> None:
    difference = drawn(moved(*where), side, side).astype(int) - drawn(SEVEN, side, side).astype(int)
    assert abs(difference).mean() < 3


def test_it_is_laid_as_in_mnist() -> None:
    picture = drawn(SEVEN, 28, 28).astype(float)
    rows = numpy.flatnonzero(picture.max(1) > 127)
    assert 19 <= rows[-1] - rows[0] + 1 <= 21
    centre = [(picture.sum(1 - axis) * numpy.arange(28)).sum() / picture.sum() for axis in (0, 1)]
    assert all(abs(one - 13.5) <= 0.6 for one in centre)
    assert 0.08 < picture.mean() / 255 < 0.2, "MNIST's sevens have 0.11"


@given(strokes, st.integers(8, 40), st.integers(8, 40))
def test_whatever_is_drawn_is_a_picture(
    given_strokes: list[list[tuple[float, float]]], height: int, width: int
) -> None:
    picture = drawn(given_strokes, height, width)
    assert picture.shape == (height, width)
    assert picture.dtype == numpy.uint8
    assert picture.max() > 60


@pytest.mark.parametrize("empty", [[], [[]]])
def test_nothing_drawn_is_told(empty: list[list[tuple[float, float]]]) -> None:
    with pytest.raises(UserError, match="drawn"):
        drawn(empty, 28, 28)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        1,
        "x",
        [1],
        [[1]],
        [[[0.5]]],
        [[[0.5, 2]]],
        [[[0.5, float("nan")]]],
        [[["0", 0]]],
        [[[True, 0]]],
        [[[0, 0]] * 9],
    ],
    ids=str,
)
def test_other_json_is_no_strokes(odd: object) -> None:
    with pytest.raises(ValueError, match=r"point|strokes"):
        read_strokes(odd, 8)
