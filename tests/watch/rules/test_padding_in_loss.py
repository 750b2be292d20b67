"""padding-in-loss: told where the loss counts padded places."""

import math

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.padding_in_loss import RULE
from measurements import check_threshold, told, verdict


def tried(*, share: float = 0.3, declared: bool = True) -> Measured:
    return Measured(interventions={"": Intervention("", 2, pads_counted=share, declares_padding=declared)})


def test_each_threshold_decides() -> None:
    assert check_threshold(RULE, tried, "min_counted_share", {"share": 0.09}, {"share": 0.11}) is None


def test_padding_that_is_counted_is_told_with_its_share() -> None:
    found = told(RULE, tried())
    assert (found.severity, found.numbers["share"]) == ("warning", 0.3)


def test_what_nobody_calls_padding_is_advice() -> None:
    measured = tried(declared=False)
    assert told(RULE, measured).severity == "advice"
    measured.code["padded"] = CodeLine("train.py", 3)
    assert told(RULE, measured).severity == "warning"


def test_padding_that_is_ignored_is_silent() -> None:
    assert verdict(RULE, tried(share=0.0)) is None
    assert verdict(RULE, tried(share=math.nan)) is None
