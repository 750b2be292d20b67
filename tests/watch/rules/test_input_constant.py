"""input-constant: told of batches whose samples are all one, and of blank samples."""

import pytest

from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.input_constant import RULE
from measurements import check_threshold, series, told, verdict


def entering(*, distinct: float = 0.0, blank: float = 0.0, batches: int = 3, size: int = 100) -> Measured:
    measured = Measured(step=10)
    facts = measured.inputs
    facts.distinct, facts.blank, facts.batch = (series([value] * batches) for value in (distinct, blank, size))
    return measured


THRESHOLDS = [
    ("min_batches", {"batches": 2}, {"batches": 3}),
    ("max_distinct_share", {"distinct": 0.021}, {"distinct": 0.019}),
    ("min_blank_share", {"distinct": 0.9, "blank": 0.29}, {"distinct": 0.9, "blank": 0.31}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, entering, name, inside, beyond) is None


def test_one_sample_over_and_over_is_an_error() -> None:
    found = told(RULE, entering(size=64))
    assert (found.severity, found.variant, found.numbers) == ("error", "", {"batch": 64})


@pytest.mark.parametrize(("blank", "severity"), [(0.5, "warning"), (0.95, "error")])
def test_blank_samples_are_told_with_their_share(blank: float, severity: str) -> None:
    found = told(RULE, entering(distinct=0.9, blank=blank))
    assert (found.severity, found.variant, found.numbers["share"]) == (severity, "blank", blank)


def test_batches_of_three_say_nothing() -> None:
    assert verdict(RULE, entering(size=3)) is None


@pytest.mark.parametrize(
    ("ignores", "stuck", "variant"), [({"t"}, ("embed",), "index"), (set(), ("embed",), None), ({"t"}, (), None)]
)
def test_an_argument_that_always_asks_for_the_same_row(
    ignores: set[str], stuck: tuple[str, ...], variant: str | None
) -> None:
    trial = Intervention("", 50, ignores=ignores)
    found = verdict(RULE, Measured(step=60, interventions={"": trial}, net=Net(stuck=stuck)))
    assert (found.variant if found else None) == variant
