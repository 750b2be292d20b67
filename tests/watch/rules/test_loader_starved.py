"""loader-starved: told where steps wait for their data longer than they compute."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.loader_starved import RULE
from measurements import check_threshold, series, told, verdict


def waiting(*, wait: float = 0.01, work: float = 0.001, measurements: int = 16) -> Measured:
    """Seconds of each step."""
    measured = Measured(step=100)
    measured.timing.wait, measured.timing.work = series([wait] * measurements), series([work] * measurements)
    return measured


THRESHOLDS = [
    ("min_measurements", {"measurements": 15}, {"measurements": 16}),
    ("min_wait_share", {"work": 0.0102}, {"work": 0.0098}),
    ("min_wait_seconds", {"wait": 0.0049}, {"wait": 0.0051}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, waiting, name, inside, beyond) is None


def test_a_long_wait_is_a_warning() -> None:
    at_ease = check_threshold(
        RULE, waiting, "min_wait_share_warning", {"wait": 0.03, "work": 0.0102}, {"wait": 0.03, "work": 0.0098}
    )
    assert at_ease is not None
    assert at_ease.severity == "advice"


def test_the_wait_is_told_in_milliseconds() -> None:
    found = told(RULE, waiting(wait=0.03, work=0.01))
    assert (found.numbers["wait"], found.numbers["work"]) == (pytest.approx(30), pytest.approx(10))
    assert found.numbers["share"] == pytest.approx(0.75)


def test_a_machine_that_was_busy_for_a_while_says_nothing_of_the_loader() -> None:
    measured = waiting(wait=0.0001)
    measured.timing.wait.values[4:8] = [1.0] * 4
    assert verdict(RULE, measured) is None


def test_what_another_net_is_trained_for_meanwhile_is_no_wait_for_data() -> None:
    measured = waiting()
    measured.foreign_steps = 100
    assert verdict(RULE, measured) is None
