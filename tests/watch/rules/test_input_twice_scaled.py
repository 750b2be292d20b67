"""input-twice-scaled: told of pixels within a hair's breadth, and of images normalised twice."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.input_twice_scaled import RULE
from measurements import check_threshold, series, told, verdict


def entering(
    *, shape: tuple[int, ...] = (32, 64), low: float = 0.0, high: float = 0.004, mean: float = 0.002, std: float = 0.001
) -> Measured:
    measured = Measured(step=10)
    facts = measured.inputs
    facts.shape = shape
    facts.std, facts.mean, facts.low, facts.high = (series([value]) for value in (std, mean, low, high))
    return measured


CROWDED = {"low": 1.0, "mean": 1.05, "std": 0.02}
IMAGES = {"shape": (32, 3, 8, 8), "low": -6.0, "high": 6.0, "mean": 0.0}
THRESHOLDS = [
    ("min_features", {"shape": (32, 47)}, {"shape": (32, 48)}),
    ("max_range", {**CROWDED, "high": 1.101}, {**CROWDED, "high": 1.099}),
    ("max_pixel", {"high": 0.021, "mean": 0.005, "std": 0.003}, {"high": 0.019, "mean": 0.005, "std": 0.003}),
    ("min_std", {**IMAGES, "std": 2.4}, {**IMAGES, "std": 2.6}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, entering, name, inside, beyond) is None


def test_pixels_divided_twice_are_told_with_their_range() -> None:
    found = told(RULE, entering())
    assert (found.severity, found.variant) == ("warning", "")
    assert (found.numbers["low"], found.numbers["high"]) == (0.0, 0.004)


def test_images_normalised_twice_are_told_with_their_deviation() -> None:
    found = told(RULE, entering(**IMAGES, std=4.0))
    assert (found.severity, found.variant, found.numbers["std"]) == ("advice", "normalised", 4.0)


def test_images_divided_once_are_silent() -> None:
    assert verdict(RULE, entering(high=1.0, mean=0.3, std=0.3)) is None
