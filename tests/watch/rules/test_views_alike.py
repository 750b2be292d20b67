"""views-alike: told of two views that are one."""

from danlu.watch.conduct import Handed
from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.views_alike import RULE
from measurements import check_threshold, told, verdict


def alike(*, times: int = 3) -> Measured:
    return Measured(step=9, carried=Handed(alike=times), optimisers=[Optimiser("Adam")])


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, alike, "min_steps", {"times": 2}, {"times": 3}) is None


def test_it_is_told_how_often() -> None:
    assert (told(RULE, alike(times=8)).severity, told(RULE, alike(times=8)).numbers) == ("error", {"times": 8})


def test_two_optimisers_and_targets_that_are_numbers_are_silent() -> None:
    measured = alike()
    measured.optimisers.append(Optimiser("Adam"))
    assert verdict(RULE, measured) is None
    measured = alike()
    measured.labels = LabelFacts("numbers")
    assert verdict(RULE, measured) is None


def test_samples_that_are_matched_with_themselves_are_told() -> None:
    def own(*, times: int = 3) -> Measured:
        return Measured(step=9, carried=Handed(own=times))

    assert check_threshold(RULE, own, "min_steps", {"times": 2}, {"times": 3}) is None
    assert told(RULE, own()).variant == "own"
