"""saturated: told of sigmoids and tanhs that stand at their bounds, and gravely where nothing is learnt."""

import pytest

from danlu.watch.layer_facts import Activation
from danlu.watch.measured import Measured
from danlu.watch.rules.saturated import RULE
from measurements import check_threshold, fallen, series, told, verdict


def stuck(*, share: float = 0.9, measurements: int = 4, gone: float = 0.0, at_first: float | None = None) -> Measured:
    measured = fallen(gone)
    shares = [*([] if at_first is None else [at_first]), *[share] * measurements]
    measured.activations["0"] = Activation("0", "tanh", last=False, saturated=series(shares))
    return measured


THRESHOLDS = [
    ("min_saturated_share", {"share": 0.74}, {"share": 0.76}),
    ("min_measurements", {"measurements": 3}, {"measurements": 4}),
]
SEVERITIES = [
    ("max_progress_share_warning", {"gone": 0.82}, {"gone": 0.78}),
    ("max_driven_progress_share_warning", {"gone": 0.32, "at_first": 0.1}, {"gone": 0.28, "at_first": 0.1}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, stuck, name, inside, beyond) is None


@pytest.mark.parametrize(("name", "inside", "beyond"), SEVERITIES)
def test_where_the_net_learns_it_is_advice(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    at_ease = check_threshold(RULE, stuck, name, inside, beyond)
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_the_share_is_told_since_when() -> None:
    found = told(RULE, stuck(at_first=0.2))
    assert (found.severity, found.since, found.where) == ("warning", 2, ("0",))
    assert found.numbers == {"share": 0.9, "kind": "tanh", "layer": "0", "count": 1}


def test_the_pictures_of_a_generator_are_black_and_white() -> None:
    measured = stuck()
    measured.optimisers *= 2
    assert verdict(RULE, measured) is None
