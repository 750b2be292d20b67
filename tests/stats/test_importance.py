"""Importance of settings: what matters is found, what does not has an interval with 0 in it, always the same."""

import math

import numpy
import pytest

from danlu.stats.importance import LEAST_TRIALS, importances


@pytest.mark.parametrize("trials", [24, 64])
@pytest.mark.parametrize("shape", ["line", "peak", "cliff"])
def test_the_setting_that_matters_is_found_and_the_others_are_not(trials: int, shape: str) -> None:
    """Over 40 searches of three settings, told in the order of their ranks as pages do; a cliff is a learning rate
    beyond which all diverges."""
    right, wrong = 0, 0
    for search in range(40):
        generator = numpy.random.default_rng(search)
        points = generator.uniform(size=(trials, 3))
        x = points[:, 0]
        values = {"line": x, "peak": -((x - 0.6) ** 2), "cliff": numpy.where(x > 0.8, -math.inf, x)}[shape]
        spread = 0.3 * numpy.std(values[numpy.isfinite(values)])
        values = values + generator.normal(size=trials) * spread
        order = numpy.argsort(-values)
        found = importances(points[order].tolist(), values[order].tolist())
        right += found[0].low > 0 and found[0].share == max(one.share for one in found)
        wrong += sum(one.low > 0 for one in found[1:])
    assert right >= (38 if trials == 64 else 12 if shape == "cliff" else 32)
    assert wrong <= 4, "of 80 intervals"


def test_the_share_of_each_of_two_that_add_up_is_that_of_its_variance() -> None:
    generator = numpy.random.default_rng(1)
    points = generator.uniform(size=(300, 2))
    first, second = importances(points.tolist(), (2 * points[:, 0] + points[:, 1]).tolist())
    assert first.share == pytest.approx(0.8, abs=0.06)
    assert second.share == pytest.approx(0.2, abs=0.06)
    assert first.low <= first.share <= first.high


@pytest.mark.parametrize("values", [[1.0] * 20, [-math.inf] * 20, list(range(LEAST_TRIALS - 1))])
def test_nothing_is_said_where_nothing_can_be(values: list[float]) -> None:
    points = [(at / 20, 0.5) for at in range(len(values))]
    assert importances(points, values) == []


def test_it_is_the_same_whenever_it_is_asked_for() -> None:
    points = [(at % 5 / 5, at % 7 / 7) for at in range(30)]
    values = [float(at % 5) for at in range(30)]
    assert importances(points, values) == importances(points, values)
