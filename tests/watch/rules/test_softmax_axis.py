"""softmax-axis: told of attention whose weights sum to 1 elsewhere."""

from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured
from danlu.watch.rules.softmax_axis import RULE
from measurements import told, verdict


def test_the_dimension_is_told_with_the_shape() -> None:
    found = told(RULE, Measured(net=Net(wrong_softmax=(1, (8, 16, 16)))))
    assert (found.severity, found.numbers) == ("error", {"dimension": 1, "shape": "8×16×16", "last": 2})


def test_weights_that_sum_to_1_are_silent() -> None:
    assert verdict(RULE, Measured()) is None
