"""weight-decay-too-high: told of weights that wither while the loss does not fall."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.weight_decay_too_high import RULE
from measurements import check_threshold, series, told, training, verdict


def withering(
    *, decay: float = 0.1, steps: int = 100, left: float = 0.4, share: float = 1.0, end: float = 2.0, low: float = 2.0
) -> Measured:
    """A loss of 2 that comes to `low` on its way and to `end`; `left` of the weights, decay `share` of the gradient."""
    measured = training(lambda step: 2.0 if step <= 5 else low if step <= steps // 2 else end, steps, classes=0)
    optimiser = measured.optimisers[0]
    optimiser.weight_decay, optimiser.decay_share = decay, series([share] * 6)
    for layer in measured.layers.values():
        layer.weight = series([4.0, *[4.0 * left] * 5])
    return measured


THRESHOLDS = [
    ("min_weight_decay", {"decay": 0.9e-3}, {"decay": 1.1e-3}),
    ("min_steps", {"steps": 29}, {"steps": 30}),
    ("max_weight_ratio", {"left": 0.51}, {"left": 0.49}),
    ("min_decay_ratio", {"share": 0.49}, {"share": 0.51}),
    ("max_waning_weight_ratio", {"share": 4.0, "left": 0.81}, {"share": 4.0, "left": 0.79}),
    ("min_strong_decay_ratio", {"left": 0.7, "share": 2.9}, {"left": 0.7, "share": 3.1}),
    ("min_loss_ratio", {"low": 0.98, "end": 0.98}, {"low": 1.02, "end": 1.02}),
    ("min_lowest_loss_ratio", {"low": 0.5, "end": 0.66}, {"low": 0.5, "end": 0.68}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, withering, name, inside, beyond) is None


def test_what_is_left_of_the_weights_is_told() -> None:
    found = told(RULE, withering())
    assert (found.severity, found.since) == ("warning", 100)
    assert found.numbers == {"decay": 0.1, "left": pytest.approx(0.4), "share": 1.0, "loss": 2.0}


def test_a_loss_at_the_level_of_guessing_is_an_error() -> None:
    measured = withering(end=2.3)
    measured.labels.kind, measured.labels.counts = "classes", dict.fromkeys(range(10), 10)
    assert told(RULE, measured).severity == "error"


def test_weights_that_keep_their_size_are_silent() -> None:
    assert verdict(RULE, withering(left=1.0)) is None


def punished(*, left: float = 0.2, pull: float = 0.8, end: float = 2.0, times: int = 6) -> Measured:
    """No decay that an optimiser knows of; the gradient points at the weights."""
    measured = withering(decay=0.0, left=left, end=end)
    measured.optimisers[0].decay_share = series([])
    for layer in measured.layers.values():
        layer.inward = series([pull] * times)
    return measured


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_pull", {"pull": 0.49}, {"pull": 0.51}),
        ("min_measurements", {"times": 3}, {"times": 4}),
        ("max_weight_ratio", {"left": 0.51}, {"left": 0.49}),
        ("min_loss_ratio", {"end": 0.9}, {"end": 1.1}),
    ],
)
def test_a_penalty_in_the_loss_is_known_by_its_gradient(
    name: str, inside: dict[str, float], beyond: dict[str, float]
) -> None:
    assert check_threshold(RULE, punished, name, inside, beyond) is None
    assert told(RULE, punished()).variant == "by-hand"
