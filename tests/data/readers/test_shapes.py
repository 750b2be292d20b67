"""The shapes that danlu draws: the same each time, of two equal classes, with as much noise as is asked for."""

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.catalogue import shapes
from danlu.data.readers.shapes import draw_shape


def points(name: str, noise: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    table = draw_shape(name, noise).table
    return numpy.stack([table["x"].values, table["y"].values], 1), table["class"].values == "A"


@pytest.mark.parametrize("name", shapes())
def test_noise_moves_each_point_in_one_direction_by_so_much(name: str) -> None:
    still, first = points(name, 0)
    little, second = points(name, 0.1)
    much, _ = points(name, 0.3)
    assert (first == second).all()
    assert first.sum() == 300
    assert (little - still).std() == pytest.approx(0.1, rel=0.05)
    assert numpy.allclose(3 * (little - still), much - still)


def test_each_shape_is_what_it_is_called() -> None:
    radius = numpy.linalg.norm
    circles, inner = points("circles", 0)
    assert numpy.allclose(radius(circles, axis=1), numpy.where(inner, 0.5, 1.0))
    squares, same = points("xor", 0)
    assert (same == (squares[:, 0] * squares[:, 1] > 0)).all()
    arms, one = points("spiral", 0)
    turned = numpy.angle(arms[:, 0] + 1j * arms[:, 1]) - 2 * numpy.pi * 1.75 * (radius(arms, axis=1) - 0.1) / 1.9
    assert numpy.allclose(numpy.cos(turned), numpy.where(one, 1, -1), atol=1e-6)
    moons, upper = points("moons", 0)
    assert numpy.allclose(radius(moons[upper], axis=1), 1)
    assert numpy.allclose(radius(moons[~upper] - [1, 0.5], axis=1), 1)
    clouds, left = points("gaussians", 0)
    assert numpy.allclose(clouds[left].mean(0), -0.7, atol=0.1)
    assert numpy.allclose(clouds[left].std(0), 0.4, atol=0.05)


def test_a_recipe_draws_the_same_again_and_in_folds() -> None:
    data = load("moons", noise=0.3)
    assert data.recipe is not None
    assert data.recipe.noise == 0.3
    again = load("moons", noise=0.3)
    assert data.fingerprint() == again.fingerprint() != load("moons").fingerprint()
    assert load("moons", noise=0.1).fingerprint() == load("moons").fingerprint()
    assert load("moons", noise=0).fingerprint() != data.fingerprint()
    fold = next(iter(data.folds(3)))
    assert fold.recipe is not None
    assert fold.recipe.noise == 0.3


def test_noise_is_for_what_is_drawn(language: str) -> None:
    with pytest.raises(UserError, match=r"moons, circles, spiral, xor, gaussians.*iris"):
        load("iris", noise=0.1)
    with pytest.raises(UserError, match=r"noise"):
        load(([[1.0], [2.0]], [0, 1]), noise=0.1)
    with pytest.raises(UserError, match=r"data\.noise"):
        load("moons", noise=-1)
