"""eval-mode-in-training: told where layers that mind the mode were trained in the wrong one."""

from danlu.watch.measured import Measured
from danlu.watch.rules.eval_mode_in_training import RULE
from measurements import check_threshold, series, told, verdict


def evaluating(*, measurements: int = 4) -> Measured:
    measured = Measured(step=20)
    measured.net.dropout, measured.net.norms = {"2": 0.5}, ("1",)
    measured.training_modes = series([1.0, *[0.0] * measurements])
    return measured


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, evaluating, "min_measurements", {"measurements": 3}, {"measurements": 4}) is None


def test_the_layers_that_mind_are_told() -> None:
    found = told(RULE, evaluating())
    assert (found.severity, found.since, found.where) == ("warning", 2, ("2", "1"))
    assert found.numbers == {"dropout": 1, "norms": 1}


def test_a_net_without_such_layers_does_not_mind() -> None:
    measured = evaluating()
    measured.net.dropout = {}
    measured.net.frozen_norms = True
    assert verdict(RULE, measured) is None
