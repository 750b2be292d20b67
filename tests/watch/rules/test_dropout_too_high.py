"""dropout-too-high: told of dropout, in a module or a plain call, that leaves too little."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.dropout_too_high import RULE
from measurements import check_threshold, fallen, head, series, told, verdict


def dropping(*, rate: float = 0.8) -> Measured:
    measured = Measured(step=5, ended=True)
    measured.net.dropout = {"1": rate, "4": 0.1}
    measured.training_modes = series([1.0])
    return measured


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, dropping, "min_dropout_rate", {"rate": 0.74}, {"rate": 0.76}) is None


def test_a_high_rate_is_told_with_what_is_left() -> None:
    found = told(RULE, dropping(rate=0.9))
    assert (found.severity, found.where) == ("warning", ("1",))
    assert found.numbers == {"rate": 0.9, "kept": pytest.approx(0.1)}


def test_so_is_a_plain_call() -> None:
    measured = dropping(rate=0.1)
    measured.net.plain_dropout = 0.8
    assert told(RULE, measured).numbers["rate"] == 0.8


def test_a_net_in_evaluation_mode_drops_nothing() -> None:
    measured = dropping()
    measured.training_modes = series([0.0])
    assert verdict(RULE, measured) is None


def on_outputs(*, times: int = 2) -> Measured:
    measured = dropping(rate=0.3)
    measured.heads = [head(dropped=place < times) for place in range(3)]
    return measured


def test_dropped_answers_are_told() -> None:
    assert check_threshold(RULE, on_outputs, "min_measurements", {"times": 1}, {"times": 2}) is None
    assert (told(RULE, on_outputs()).variant, told(RULE, on_outputs()).numbers) == ("outputs", {"rate": 0.3})


def learning(*, gone: float = 0.6) -> Measured:
    measured = fallen(gone)
    measured.ended = True
    measured.net.dropout, measured.training_modes = {"1": 0.8}, series([1.0])
    return measured


def test_a_high_rate_with_which_it_learns_is_worth_a_word() -> None:
    found = check_threshold(RULE, learning, "max_loss_ratio", {"gone": 0.69}, {"gone": 0.71})
    assert found is not None
    assert (found.severity, told(RULE, learning(gone=0.8)).severity) == ("warning", "advice")


def test_before_the_end_it_is_no_warning_that_would_have_to_be_taken_back() -> None:
    measured = learning(gone=0.1)
    assert told(RULE, measured).severity == "warning"
    measured.ended = False
    assert told(RULE, measured).severity == "advice"
