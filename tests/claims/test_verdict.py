"""The words that evidence comes to, and that chance comes to them as seldom as is said."""

import numpy
import pytest

from danlu.claims.evidence import ClaimComparison, ClaimEvidence, Control, Expected, IdentityCheck, as_family, compared
from danlu.claims.verdict import judge

UP, DOWN, SAME, OPEN = (
    [0.1, 0.11, 0.09, 0.1],
    [-0.1, -0.11, -0.09, -0.1],
    [0.001, -0.001, 0.0005, 0.0],
    [0.3, -0.3, 0.1, 0.2],
)


def comparison(differences: list[float], expected: Expected = "more", condition: str = "") -> ClaimComparison:
    zeros = [0.0] * len(differences)
    options = {"names": ("a", "b"), "measure": "accuracy", "margin": 0.01, "condition": condition}
    return compared(zeros, differences, expected=expected, **options)  # type: ignore[arg-type]


WORDS = [
    ([UP], "more", "holds"),
    ([UP, UP], "more", "holds"),
    ([DOWN], "less", "holds"),
    ([UP], "differ", "holds"),
    ([DOWN], "differ", "holds"),
    ([SAME], "same", "holds"),
    ([UP, SAME], "more", "holds only when"),
    ([UP, OPEN], "more", "holds only when"),
    ([UP, DOWN], "more", "holds only when"),
    ([SAME], "more", "does not hold"),
    ([SAME, DOWN], "more", "does not hold"),
    ([DOWN], "more", "the opposite holds"),
    ([DOWN, OPEN], "more", "the opposite holds"),
    ([UP], "same", "the opposite holds"),
    ([OPEN], "more", "undecided"),
    ([OPEN, SAME], "more", "undecided"),
    ([OPEN], "same", "undecided"),
]


@pytest.mark.parametrize(("differences", "expected", "word"), WORDS)
def test_what_comparisons_come_to(differences: list[list[float]], expected: Expected, word: str) -> None:
    made = [comparison(row, expected, f"place {number}") for number, row in enumerate(differences)]
    verdict = judge(ClaimEvidence(as_family(made)))
    assert verdict.word == word
    if word == "holds only when":
        assert verdict.where == ("place 0",)
        assert verdict.opposite == (("place 1",) if DOWN in differences else ())
    if word == "undecided":
        assert verdict.more and verdict.more > 0


@pytest.mark.parametrize("kind", ["placebo", "positive", "tuning"])
def test_a_control_that_failed_leaves_the_claim_untested(kind: str) -> None:
    control = Control(kind, passed=False)  # type: ignore[arg-type]
    assert judge(ClaimEvidence([comparison(UP)], controls=[control])).word == "not tested"
    assert judge(ClaimEvidence([comparison(UP)], controls=[control])).failed == (kind,)
    assert judge(ClaimEvidence([comparison(UP)], controls=[Control(kind, passed=True)])).word == "holds"  # type: ignore[arg-type]


@pytest.mark.parametrize(("difference", "word"), [(1e-14, "exact"), (1e-3, "not exact"), (float("nan"), "not exact")])
def test_identities(difference: float, word: str) -> None:
    verdict = judge(ClaimEvidence(checks=[IdentityCheck("one-layer", difference, 1e-12), IdentityCheck("b", 0.0, 0.1)]))
    assert verdict.word == word
    assert verdict.difference == pytest.approx(difference, nan_ok=True)


def simulated(effect: float, comparisons: int, seeds: int, numbers: numpy.random.Generator) -> list[ClaimComparison]:
    """Comparisons of scores of 360 samples each, paired by seed, with this true effect."""
    made: list[ClaimComparison] = []
    for place in range(comparisons):
        of_seed = numbers.normal(0.9, 0.01, seeds)
        before, after = (
            numpy.round((of_seed + shift + numbers.normal(0, 0.01, seeds)) * 360) / 360 for shift in (0.0, effect)
        )
        options = {"names": ("a", "b"), "measure": "accuracy", "margin": 0.005, "condition": f"place {place}"}
        made.append(compared(before.tolist(), after.tolist(), expected="more", grain=1 / 360, **options))  # type: ignore[arg-type]
    return as_family(made)


@pytest.mark.parametrize("comparisons", [1, 3])
def test_of_claims_without_effect_at_most_one_in_twenty_is_told_to_hold(comparisons: int) -> None:
    numbers = numpy.random.default_rng(14)
    words = [judge(ClaimEvidence(simulated(0.0, comparisons, 10, numbers))).word for _ in range(300)]
    false = sum(word in ("holds", "holds only when", "the opposite holds") for word in words)
    assert false <= 300 * 0.05 + 2 * (300 * 0.05 * 0.95) ** 0.5


def test_intervals_cover_the_effect() -> None:
    numbers = numpy.random.default_rng(15)
    made = [simulated(0.01, 1, 10, numbers)[0].effect for _ in range(300)]
    assert sum(effect.low <= 0.01 <= effect.high for effect in made) >= 0.93 * 300
