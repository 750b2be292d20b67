"""Comparisons of a session that nobody knows the length of: all of them together say something false in 5 % at most."""

import numpy
import pytest

from danlu.stats.members import Member
from danlu.stats.moves import move_effect, move_level

SAMPLES = 180


def members(accuracies: numpy.ndarray) -> list[Member]:
    return [
        Member({}, seed, 0, {"accuracy": round(float(value) * SAMPLES) / SAMPLES}, False, SAMPLES)
        for seed, value in enumerate(accuracies)
    ]


def test_all_comparisons_together_take_five_percent() -> None:
    taken = [1 - move_level(number) for number in range(1, 2_000)]
    assert sum(taken) == pytest.approx(0.05, abs=1e-4)
    assert sum(taken) < 0.05
    assert taken == sorted(taken, reverse=True)


@pytest.mark.slow
def test_sessions_without_any_effect_seldom_say_that_something_helps() -> None:
    """300 sessions of 12 moves that change nothing but luck: each seed's score is drawn anew."""
    random = numpy.random.default_rng(0)
    wrong = 0
    for _ in range(300):
        sides = [members(numpy.clip(random.normal(0.85, 0.04, 32), 0, 1)) for _ in range(13)]
        verdicts = [move_effect(sides[at - 1], sides[at], at).verdict for at in range(1, 13)]
        wrong += bool({"better", "worse"} & set(verdicts))
    assert wrong <= 23  # 5 % of 300, and twice the standard deviation of such a count


def test_the_same_move_is_judged_more_strictly_later_on() -> None:
    random = numpy.random.default_rng(1)
    before = random.normal(0.8, 0.02, 32)
    sides = members(before), members(before + random.normal(0.012, 0.02, 32))
    first, late = (move_effect(*sides, number) for number in (1, 30))
    assert first.verdict == "better"
    assert late.verdict == "undecided"
    assert first.effect.low > late.effect.low
    assert late.effect.mean == first.effect.mean


def test_a_move_that_makes_trainings_diverge_is_worse() -> None:
    before = members(numpy.full(32, 0.8))
    after = [Member({}, one.seed, 0, one.score, diverged=one.seed < 20, samples=SAMPLES) for one in before]
    effect = move_effect(before, after, 1)
    assert (effect.verdict, effect.left_out) == ("worse", 20)
