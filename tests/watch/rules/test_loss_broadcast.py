"""loss-broadcast: told of outputs and targets whose difference has a shape of its own."""

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
