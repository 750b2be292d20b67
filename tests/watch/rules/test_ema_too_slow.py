"""ema-too-slow: told of an average that has hardly left where it began."""

from typing import Any

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Averaged
from danlu.watch.measured import Measured
from danlu.watch.rules.ema_too_slow import RULE
from measurements import check_threshold, told, verdict


def averaged(*, steps: int = 400, kept: float = 0.9) -> Measured:
    return Measured(step=steps, averaged=Averaged(steps, 4, kept))


THRESHOLDS = [
    ("min_steps", {"steps": 99}, {"steps": 100}),
    ("min_kept_share", {"kept": 0.49}, {"kept": 0.51}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, averaged, name, inside, beyond) is None


def test_the_share_is_told() -> None:
    found = told(RULE, averaged())
    assert (found.severity, found.since, found.numbers) == ("warning", 400, {"kept": 0.9, "steps": 400})


def test_what_is_no_average_is_silent() -> None:
    assert verdict(RULE, averaged(kept=float("nan"))) is None
    assert verdict(RULE, Measured(step=400)) is None


def test_statistics_that_stay_behind_are_told() -> None:
    def stale(*, calls: int) -> Measured:
        return Measured(step=60, averaged=Averaged(60, 4, 0.1, stale=calls, stale_since=20))

    assert check_threshold(RULE, stale, "min_stale_calls", {"calls": 1}, {"calls": 2}) is None
    found = told(RULE, stale(calls=3))
    assert (found.variant, found.since, found.numbers) == ("statistics", 20, {"calls": 3, "steps": 60})


def frozen(*, steps: int = 6_000, bootstraps: bool = True, renews: bool = False) -> Measured:
    kinds = [kind for kind, known in (("bootstrap", bootstraps), ("renewed", renews)) if known]
    code = {kind: CodeLine("train.py", 9) for kind in kinds}
    return Measured(step=steps, averaged=Averaged(64, frozen=steps), code=code)


def renewed(*, steps: int) -> Measured:
    return frozen(steps=steps, renews=True)


def test_a_target_network_that_never_follows_is_told() -> None:
    assert check_threshold(RULE, frozen, "min_frozen_steps", {"steps": 99}, {"steps": 100}) is None
    assert check_threshold(RULE, renewed, "min_frozen_steps_renewed", {"steps": 4_999}, {"steps": 5_000}) is None
    assert (told(RULE, frozen()).variant, told(RULE, frozen()).numbers) == ("frozen", {"steps": 6_000})
    assert verdict(RULE, frozen(bootstraps=False)) is None  # a teacher, which stays what it is


def test_an_average_that_moves_the_other_way_is_told() -> None:
    def away(*, ratio: float) -> Measured:
        return Measured(step=200, averaged=Averaged(200, 4, away=ratio))

    assert check_threshold(RULE, away, "min_away", {"ratio": 0.19}, {"ratio": 0.21}) is None
    assert told(RULE, away(ratio=3.0)).variant == "away"
