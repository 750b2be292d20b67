"""pairs-broken: told of targets in an order of their own."""

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Draws, Handed
from danlu.watch.measured import Measured
from danlu.watch.rules.pairs_broken import RULE
from measurements import check_threshold, told, verdict

LINE = CodeLine("train.py", 9)


def test_it_is_told_with_its_line() -> None:
    found = told(RULE, Measured(step=3, code={"pairs": LINE}))
    assert (found.severity, found.line) == ("error", LINE)


def test_what_was_not_read_or_has_not_run_is_silent() -> None:
    assert verdict(RULE, Measured(step=3)) is None
    assert verdict(RULE, Measured(code={"pairs": LINE})) is None


def two_loaders(*, steps: int = 3, apart: int = 1) -> Measured:
    return Measured(step=9, drawing=Draws(apart=apart), carried=Handed(partners=steps))


def test_partners_from_two_loaders_are_told() -> None:
    assert check_threshold(RULE, two_loaders, "min_steps", {"steps": 2}, {"steps": 3}) is None
    assert (told(RULE, two_loaders()).severity, told(RULE, two_loaders()).variant) == ("error", "loaders")
    assert verdict(RULE, two_loaders(apart=0)) is None


@pytest.mark.parametrize("kind", ["late", "from-start", "by-place"])
def test_experience_beside_other_states_is_told(kind: str) -> None:
    found = told(RULE, Measured(step=3, code={kind: LINE}))
    assert (found.variant, found.line) == (kind, LINE)
    assert verdict(RULE, Measured(code={kind: LINE})) is None


def test_views_of_other_samples_are_told_where_the_loss_looks_for_partners() -> None:
    measured = two_loaders(apart=0)
    measured.step, measured.code["views"] = 9, CodeLine("train.py", 7)
    assert told(RULE, measured).line == CodeLine("train.py", 7)
    measured.carried.partners = 2
    assert verdict(RULE, measured) is None
