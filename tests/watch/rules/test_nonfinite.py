"""nonfinite: told with the step, and with where the first such number came from."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.nonfinite import RULE
from measurements import told, verdict


@pytest.mark.parametrize(
    ("what", "places"), [("input", ()), ("weight", ("1",)), ("activation", ("1",)), ("loss", ()), ("gradient", ("1",))]
)
def test_the_step_and_its_source_are_told(what: str, places: tuple[str, ...]) -> None:
    where = "" if what == "input" else "1"
    found = told(RULE, Measured(step=20, nonfinite_at=17, nonfinite_what=what, nonfinite_where=where))
    assert (found.severity, found.since, found.where) == ("error", 17, places)
    assert found.numbers == {"step": 17, "where": where}


def test_finite_losses_are_silent() -> None:
    assert verdict(RULE, Measured(step=20)) is None
