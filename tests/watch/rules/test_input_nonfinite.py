"""input-nonfinite: told of the first step whose inputs held NaN or infinity."""

from danlu.watch.measured import Measured
from danlu.watch.rules.input_nonfinite import RULE
from measurements import told, verdict


def test_the_step_and_the_share_are_told() -> None:
    measured = Measured(step=20)
    measured.inputs.nonfinite_since, measured.inputs.nonfinite_share = 7, 0.01
    found = told(RULE, measured)
    assert (found.severity, found.since, found.numbers) == ("error", 7, {"share": 0.01, "step": 7})


def test_finite_inputs_are_silent() -> None:
    assert verdict(RULE, Measured(step=20)) is None
