"""threshold-on-test: told of a threshold that is chosen on the scores it is judged by."""

import pytest

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.threshold_on_test import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 31)


@pytest.mark.parametrize(("kind", "severity"), [("threshold-test", "warning"), ("threshold", "advice")])
def test_scores_of_a_test_are_graver_than_others(kind: str, severity: str) -> None:
    found = told(RULE, Measured(step=3, code={kind: LINE}))
    assert (found.severity, found.line) == (severity, LINE)


def test_what_was_not_read_or_has_not_run_is_silent() -> None:
    assert verdict(RULE, Measured(step=3)) is None
    assert verdict(RULE, Measured(code={"threshold-test": LINE})) is None
