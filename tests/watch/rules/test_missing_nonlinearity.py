"""missing-nonlinearity: told of linear layers with nothing bent between them."""

from itertools import pairwise

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.missing_nonlinearity import RULE
from measurements import check_threshold, layer, told, verdict


def straight(*, pairs: int = 1, depth: int = 3, nonlinear: bool = True) -> Measured:
    """Some of `depth` layers stand in pairs that nothing bends."""
    measured = Measured(step=5)
    names = [str(number) for number in range(depth)]
    measured.layers = {name: layer(name, channels=64) for name in names}
    measured.net.nonlinear, measured.net.depth = nonlinear, depth
    measured.net.linear_pairs = tuple(pairwise(names))[:pairs]
    return measured


def test_a_habit_is_a_warning() -> None:
    at_ease = check_threshold(
        RULE, straight, "min_gap_share_warning", {"pairs": 3, "depth": 10}, {"pairs": 3, "depth": 9}
    )
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_the_pairs_are_told() -> None:
    found = told(RULE, straight(pairs=2))
    assert (found.severity, found.variant, found.where) == ("warning", "", ("0", "1", "2"))
    assert found.numbers == {"pairs": 2, "layers": 3, "first": "0", "second": "1"}


def test_a_net_without_any_is_told_so() -> None:
    assert told(RULE, straight(pairs=2, nonlinear=False)).variant == "none"


@pytest.mark.parametrize("facts", [{"outputs": 8}, {"grouped": True}])
def test_a_bottleneck_and_a_convolution_taken_apart_are_meant(facts: dict[str, int]) -> None:
    measured = straight()
    for name, value in facts.items():
        setattr(measured.layers["0"], name, value)
    assert verdict(RULE, measured) is None


def test_before_the_graph_was_read_nothing_is_told() -> None:
    measured = straight()
    measured.net.nonlinear = None
    assert verdict(RULE, measured) is None


def test_one_place_between_two_parts_is_advice() -> None:
    measured = straight()
    measured.layers = {name: layer(name, channels=64) for name in ("encoder.0", "head")}
    measured.net.linear_pairs = (("encoder.0", "head"),)
    assert told(RULE, measured).severity == "advice"
