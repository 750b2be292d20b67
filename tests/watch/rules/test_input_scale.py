"""input-scale: told of inputs far larger or smaller than 1, and of columns that differ a hundredfold."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.input_scale import RULE
from measurements import check_threshold, layer, series, told, verdict


def entering(
    *, std: float = 1.0, mean: float = 0.0, widest: float = 1.0, unevenness: float = 1.0, inside: float = math.nan
) -> Measured:
    """Rows of eight numbers."""
    measured = Measured(step=10)
    facts = measured.inputs
    facts.shape, facts.entering = (32, 8), inside
    facts.std, facts.mean, facts.low, facts.high = (series([value]) for value in (std, mean, mean - std, mean + std))
    facts.widest, facts.unevenness = series([widest]), series([unevenness])
    return measured


THRESHOLDS = [
    ("min_input_rms", {"std": 19.9}, {"std": 20.1}),
    ("max_input_rms", {"std": 0.021}, {"std": 0.019}),
    ("min_feature_std", {"widest": 9.9, "unevenness": 200.0}, {"widest": 10.1, "unevenness": 200.0}),
    ("min_feature_std_ratio", {"widest": 50.0, "unevenness": 99.0}, {"widest": 50.0, "unevenness": 101.0}),
]


def test_a_net_that_scales_its_input_itself_is_silent() -> None:
    name = "max_kept_share"
    assert verdict(RULE, entering(std=100.0, inside=1.1 * RULE.numbers[name] * 100)) is not None
    assert verdict(RULE, entering(std=100.0, inside=0.9 * RULE.numbers[name] * 100)) is None


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, entering, name, inside, beyond) is None


def test_large_inputs_are_told_with_mean_and_deviation() -> None:
    found = told(RULE, entering(std=40.0, mean=30.0))
    assert (found.severity, found.variant, found.since) == ("warning", "", 1)
    assert (found.numbers["size"], found.numbers["mean"], found.numbers["std"]) == (50.0, 30.0, 40.0)


def test_uneven_columns_are_told_with_their_ratio() -> None:
    found = told(RULE, entering(widest=50.0, unevenness=400.0))
    assert (found.variant, found.numbers["widest"], found.numbers["unevenness"]) == ("uneven", 50.0, 400.0)


def test_small_inputs_are_advice() -> None:
    assert (told(RULE, entering(std=1e-3)).severity, told(RULE, entering(std=1e-3)).variant) == ("advice", "small")


def test_a_normalisation_that_comes_first_sets_any_scale_right() -> None:
    measured = entering(std=300.0)
    measured.layers["0"] = layer("0")
    assert verdict(RULE, measured) is not None
    measured.layers["0"].kind = "BatchNorm1d"
    assert verdict(RULE, measured) is None
