"""exploding-gradient: told of gradients that begin far too large, grow on their way down, or leap."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.exploding_gradient import RULE
from measurements import check_threshold, layer, series, told, training, verdict


def exploding(
    *, norm: float = 1.0, low: float | None = None, high: float = 0.1, spike: float | None = None, usual: float = 1.0,
    update: float = 1e-3,
) -> Measured:  # fmt: skip
    """Gradients of size `norm`; of a first layer of size `low`; or of size `usual`, with one of size `spike`."""
    measured = training(lambda step: 2.3, 40, update=update)
    optimiser = measured.optimisers[0]
    optimiser.gradient = series([norm] * 20 if spike is None else [usual] * 10 + [spike] + [usual] * 9)
    if low is not None:
        measured.layers = {name: layer(name, gradient=size) for name, size in zip("abc", (low, low, high), strict=True)}
        for one in measured.layers.values():
            one.weight, one.update = series([4.0]), series([update])
    return measured


THRESHOLDS = [
    ("min_gradient_norm", {"norm": 990.0}, {"norm": 1010.0}),
    ("min_gradient_ratio", {"low": 99.0}, {"low": 101.0}),
    ("min_spike_ratio", {"spike": 99.0}, {"spike": 101.0}),
    ("min_spike_norm", {"spike": 49.0, "usual": 0.1}, {"spike": 51.0, "usual": 0.1}),
    ("max_update_ratio", {"spike": 200.0, "update": 0.11}, {"spike": 200.0, "update": 0.09}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, exploding, name, inside, beyond) is None


def test_a_large_first_gradient_is_told_with_its_norm() -> None:
    found = told(RULE, exploding(norm=5e4))
    assert (found.severity, found.variant, found.since) == ("error", "", 1)
    assert found.numbers["norm"] == 5e4


def test_growth_from_layer_to_layer_is_told_with_both_ends() -> None:
    found = told(RULE, exploding(low=400.0))
    assert (found.severity, found.variant, found.where) == ("error", "depth", ("a",))
    assert (found.numbers["first"], found.numbers["last"]) == (400.0, 0.1)


def test_a_leap_is_told_at_its_step_with_what_is_usual() -> None:
    found = told(RULE, exploding(spike=300.0))
    assert (found.severity, found.variant, found.since) == ("warning", "spike", 11)
    assert (found.numbers["norm"], found.numbers["usual"]) == (300.0, 1.0)


def test_what_is_clipped_does_no_harm() -> None:
    measured = exploding(norm=5e4)
    measured.optimisers[0].clip = series([0.01] * 5)
    assert verdict(RULE, measured) is None
