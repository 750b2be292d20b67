"""clip-too-tight: told where clipping leaves next to nothing of the gradient, step after step."""

import math

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.clip_too_tight import RULE
from measurements import check_threshold, fallen, series, told, verdict


def clipped(
    *, kept: float = 0.04, capped: float | None = None, measurements: int = 10, gone: float = 0.0,
    limit: float | None = 0.1, update: float = 1e-2,
) -> Measured:  # fmt: skip
    measured = fallen(gone, update=update)
    optimiser = measured.optimisers[0]
    optimiser.clipped_to = limit
    if capped is not None:
        optimiser.capped = series([capped] * measurements)
    elif limit is not None:
        optimiser.clip = series([kept] * measurements)
    return measured


THRESHOLDS = [
    ("min_measurements", {"measurements": 5}, {"measurements": 6}),
    ("max_kept_share", {"kept": 0.051}, {"kept": 0.049}),
    ("min_capped_share", {"capped": 0.49}, {"capped": 0.51}),
    ("max_progress_share", {"gone": 0.52}, {"gone": 0.48}),
    ("max_update_ratio", {"limit": None, "update": 1.1e-3}, {"limit": None, "update": 0.9e-3}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, clipped, name, inside, beyond) is None


def test_what_clipping_leaves_is_told_with_the_usual_norm() -> None:
    found = told(RULE, clipped(kept=0.02))
    assert found.severity == "warning"
    assert (found.numbers["limit"], found.numbers["kept"], found.numbers["norm"]) == (0.1, 0.02, pytest.approx(5.0))
    assert found.remedies == ({"train.clip_norm": 5.0},)


def test_entries_at_the_clipping_value_are_told_with_their_share() -> None:
    found = told(RULE, clipped(capped=0.9))
    assert (found.variant, found.numbers["share"]) == ("value", 0.9)


def test_a_norm_that_never_changes_is_told_without_one_before() -> None:
    found = told(RULE, clipped(limit=None, update=1e-4))
    assert (found.variant, found.numbers["limit"]) == ("even", 0.3)
    assert math.isnan(found.numbers["kept"])


def test_an_adaptive_optimiser_divides_the_factor_out_again() -> None:
    measured = clipped()
    measured.optimisers[0].kind = "Adam"
    assert told(RULE, measured).severity == "advice"


def test_one_gradient_that_passed_whole_is_a_guard_at_work() -> None:
    measured = clipped()
    measured.optimisers[0].clip.values[-1] = 1.0
    assert verdict(RULE, measured) is None
