"""softmax-twice: told of probabilities that a loss takes for logits."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.softmax_twice import RULE
from measurements import head, told, verdict


@pytest.mark.parametrize(
    ("loss", "last", "severity", "variant"),
    [
        ("cross-entropy", "Softmax", "error", ""),
        ("bce-logits", "Sigmoid", "error", "sigmoid"),
        ("cross-entropy", "LogSoftmax", "advice", "log"),
    ],
)
def test_the_loss_s_own_function_in_front_of_it_is_told(loss: str, last: str, severity: str, variant: str) -> None:
    found = told(RULE, Measured(heads=[head(loss, between=("View", last))]))
    assert (found.severity, found.since, found.variant) == (severity, 1, variant)
    assert found.numbers["outputs"] == 10


@pytest.mark.parametrize(
    ("loss", "between"), [("cross-entropy", ()), ("nll", ("LogSoftmax",)), ("cross-entropy", ("Relu", "Softmax"))]
)
def test_logits_are_silent(loss: str, between: tuple[str, ...]) -> None:
    assert verdict(RULE, Measured(heads=[head(loss, between=between)])) is None
