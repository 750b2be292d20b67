"""targets-attached: told of a target with a gradient, where the source adds a reward and a discounted value."""

from typing import Any

import pytest

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.targets_attached import RULE
from measurements import check_threshold, series, told, training, verdict

LINE = CodeLine("train.py", 31)


def attached(*, steps: int = 2, read: bool = True) -> Measured:
    return Measured(step=9, attached=steps, code={"bootstrap": LINE} if read else {})


def test_each_threshold_decides() -> None:
    assert check_threshold(RULE, attached, "min_steps", {"steps": 1}, {"steps": 2}) is None


def test_it_is_told_with_its_line() -> None:
    assert (told(RULE, attached()).severity, told(RULE, attached()).line) == ("error", LINE)


def test_other_differences_of_two_answers_are_silent() -> None:
    assert verdict(RULE, attached(read=False)) is None


def compared(*, steps: int = 50, apart: float = 0.0, moves: bool = True, weighs: bool = False) -> Measured:
    measured = training(lambda step: 0.6931 + apart * step, steps)
    measured.weighs_samples = weighs
    optimiser = measured.optimisers[0]
    optimiser.unmoved, optimiser.gradient = series([0.0 if moves else 1.0] * 5), series([0.3] * 5)
    return measured


def test_a_loss_that_stands_still_while_the_weights_move_compares_the_net_with_itself() -> None:
    assert check_threshold(RULE, compared, "min_constant_steps", {"steps": 49}, {"steps": 50}) is None
    found = told(RULE, compared())
    assert (found.variant, found.remedies, found.numbers["steps"]) == ("reference", ("copy-reference",), 50)


@pytest.mark.parametrize("given", [{"apart": 1e-5}, {"moves": False}, {"weighs": True}])
def test_other_losses_are_silent(given: dict[str, Any]) -> None:
    """One that moves; one whose weights do not; one that weighs samples, and may be made to be constant."""
    assert verdict(RULE, compared(**given)) is None
