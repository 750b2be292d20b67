"""loss-broadcast: told of outputs and targets whose difference has a shape of its own."""

import pytest

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.loss_broadcast import RULE
from measurements import head, told, verdict


def test_both_shapes_are_told() -> None:
    found = told(RULE, Measured(heads=[head("mse", shape=(32, 1), broadcast=((32, 1), (32, 32)))]))
    assert (found.severity, found.numbers) == ("error", {"output": "32×1", "result": "32×32"})


def test_shapes_that_agree_are_silent() -> None:
    assert verdict(RULE, Measured(heads=[head("mse", shape=(32, 1))])) is None


def test_a_loss_that_was_seen_once_in_many_steps_is_not_the_training_s() -> None:
    usual = [head("mse", shape=(32, 1), step=step) for step in (1, 2, 3)]
    once = head("mse", shape=(32, 1), step=2, between=("View",), broadcast=((32, 1), (32, 32)))
    assert verdict(RULE, Measured(heads=[*usual, once])) is None


@pytest.mark.parametrize(("steps", "found"), [(1, False), (2, True)])
def test_a_column_beside_a_row_in_a_loss_by_hand(steps: int, found: bool) -> None:
    line = CodeLine("train.py", 7)
    measured = Measured(grown=((32, 1), (32, 32)), grown_steps=steps, code={"advantage": line})
    answer = verdict(RULE, measured)
    assert (answer is not None) == found
    if answer is not None:
        assert (answer.variant, answer.line, answer.numbers["output"]) == ("arithmetic", line, "32×1")


def test_the_only_squared_difference_in_the_source_is_the_line_of_one_by_hand() -> None:
    line = CodeLine("train.py", 9)
    one = head("difference", shape=(32, 1), broadcast=((32, 1), (32, 32)))
    assert told(RULE, Measured(heads=[one], code={"squares": line})).line == line
