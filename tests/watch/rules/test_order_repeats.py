"""order-repeats: told of epochs that a DistributedSampler was not told of."""

import pytest

from danlu.watch.conduct import Draws
from danlu.watch.measured import Measured
from danlu.watch.rules.order_repeats import RULE
from measurements import check_threshold, told, verdict


def test_it_is_told_since_the_first_epoch_that_came_again() -> None:
    found = told(RULE, Measured(step=90, drawing=Draws(passes=4, unchanged=3, unchanged_since=30)))
    assert (found.severity, found.since, found.numbers) == ("warning", 30, {"epochs": 4})


@pytest.mark.parametrize("drawing", [Draws(), Draws(passes=5), Draws(passes=9, unchanged=1, unchanged_since=3)])
def test_orders_that_differ_are_silent(drawing: Draws) -> None:
    assert verdict(RULE, Measured(step=90, drawing=drawing)) is None


def test_the_least_number_of_epochs() -> None:
    def trained(unchanged: int) -> Measured:
        return Measured(step=90, drawing=Draws(passes=2, unchanged=unchanged, unchanged_since=30))

    assert check_threshold(RULE, trained, "min_epochs", {"unchanged": 0}, {"unchanged": 1}) is None
