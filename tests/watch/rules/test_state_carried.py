"""state-carried: told of states that are handed on to other samples, or with their graph."""

from typing import Any

import pytest

from danlu.watch.conduct import Handed
from danlu.watch.measured import Measured
from danlu.watch.rules.state_carried import RULE
from measurements import check_threshold, series, told, verdict


def carried(*, times: int = 2, apart: int = 2, epoch: int | None = 10, same: bool = False) -> Measured:
    return Measured(step=90, epoch_steps=epoch, same_order=same, carried=Handed(times, apart))


def growing(*, measurements: int = 5, attached: int = 1, factor: float = 1.0) -> Measured:
    nodes = series([100.0 * (1 + factor * n) for n in range(measurements)])
    return Measured(step=9, carried=Handed(attached, 0, attached, nodes=nodes))


THRESHOLDS: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("min_steps", carried, {"times": 1, "apart": 1}, {"times": 2, "apart": 2}),
    ("min_measurements", growing, {"measurements": 4}, {"measurements": 5}),
]


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: Any, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, build, name, inside, beyond) is None


def test_a_state_over_shuffled_samples_is_told() -> None:
    found = told(RULE, carried())
    assert (found.severity, found.variant, found.numbers) == ("warning", "", {"times": 2})
    measured = carried(epoch=None)
    measured.draws_at_random = True
    assert told(RULE, measured).variant == ""


@pytest.mark.parametrize("given", [{"apart": 1}, {"same": True}, {"epoch": None}])
def test_a_state_that_may_go_on_is_silent(given: dict[str, Any]) -> None:
    assert verdict(RULE, carried(**given)) is None


def test_a_graph_that_grows_or_is_freed_is_told() -> None:
    assert (told(RULE, growing()).severity, told(RULE, growing()).variant) == ("error", "graph")
    measured = growing(measurements=1)
    measured.crash = "Trying to backward through the graph a second time"
    assert told(RULE, measured).variant == "graph"


def test_a_graph_that_stays_or_was_left_behind_is_silent() -> None:
    assert verdict(RULE, growing(factor=0.0)) is None
    assert verdict(RULE, growing(attached=0)) is None


def test_a_sequence_that_is_told_place_by_place_needs_no_second_epoch() -> None:
    measured = carried(epoch=None)
    measured.carried.told = 2
    assert told(RULE, measured).variant == ""
    measured.carried.told = 1
    assert verdict(RULE, measured) is None
