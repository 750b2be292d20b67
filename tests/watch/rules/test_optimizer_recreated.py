"""optimizer-recreated: told of an optimiser that is made anew again and again."""

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.optimizer_recreated import RULE
from measurements import check_threshold, told, verdict


def made_anew(*, recreated: int = 2, kind: str = "Adam", momentum: float = 0.0) -> Measured:
    newest = Optimiser(kind, steps=10, recreated=recreated, momentum=momentum)
    return Measured(step=60, optimisers=[Optimiser(kind, steps=50), newest])


def test_the_threshold_decides() -> None:
    assert check_threshold(RULE, made_anew, "min_recreations", {"recreated": 1}, {"recreated": 2}) is None


def test_the_times_are_told_with_the_first_one() -> None:
    found = told(RULE, made_anew(recreated=5))
    assert (found.severity, found.numbers) == ("warning", {"times": 6, "kind": "Adam", "steps": 60})


def test_without_a_memory_nothing_is_lost() -> None:
    assert (told(RULE, made_anew(kind="SGD")).severity, told(RULE, made_anew(kind="SGD")).variant) == (
        "advice",
        "plain",
    )
    assert told(RULE, made_anew(kind="SGD", momentum=0.9)).severity == "warning"


def test_one_optimiser_is_silent() -> None:
    assert verdict(RULE, made_anew(recreated=0)) is None
    assert verdict(RULE, Measured()) is None
