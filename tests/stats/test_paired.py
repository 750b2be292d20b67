"""Paired effects: equal to scipy where scipy has them, honest in simulated studies."""

import math

import numpy
import pytest
import scipy.stats

from danlu.stats import holm, paired_effect, pairs_needed, power
from danlu.stats.members import MOST_MORE

GENERATOR = numpy.random.default_rng


def test_over_one_split_it_is_the_paired_t_interval() -> None:
    differences = [0.02, 0.05, -0.01, 0.03, 0.04, 0.01]
    effect = paired_effect([differences], margin=0.0)
    reference = scipy.stats.ttest_1samp(differences, 0.0)
    interval = reference.confidence_interval(0.95)
    assert (effect.low, effect.high, effect.p) == pytest.approx((interval.low, interval.high, reference.pvalue))


def test_over_folds_it_is_nadeau_and_bengios_interval() -> None:
    folds = [[0.02, 0.04], [0.05, 0.01], [0.03, 0.03], [0.00, 0.02], [0.04, 0.06]]
    means = numpy.mean(folds, axis=1)
    half = scipy.stats.t.ppf(0.975, 4) * means.std(ddof=1) * math.sqrt(1 / 5 + 1 / 4)
    effect = paired_effect(folds, margin=0.0)
    assert (effect.low, effect.high) == pytest.approx((means.mean() - half, means.mean() + half))
    assert effect.pairs == 10


@pytest.mark.parametrize(("folds", "seeds"), [(1, 10), (5, 4)])
def test_two_identical_settings_are_told_apart_in_one_study_of_twenty_at_most(folds: int, seeds: int) -> None:
    generator = GENERATOR(1)
    told = 0
    for _ in range(400):
        effect = paired_effect(generator.normal(0, 1, (folds, seeds)).tolist(), margin=0.0)
        told += effect.verdict in ("better", "worse")
    assert told <= 400 * 0.05 + 2 * math.sqrt(400 * 0.05 * 0.95)


@pytest.mark.parametrize(("folds", "seeds"), [(1, 10), (5, 4)])
def test_the_interval_covers_a_known_effect(folds: int, seeds: int) -> None:
    generator = GENERATOR(2)
    covered = 0
    for _ in range(400):
        # What folds have in common, and what each seed adds.
        own = generator.normal(0, 0.5, (folds, 1)) if folds > 1 else 0.0
        effect = paired_effect((0.7 + own + generator.normal(0, 1, (folds, seeds))).tolist(), margin=0.0)
        covered += effect.low <= 0.7 <= effect.high
    assert covered >= 400 * 0.93


def test_skewed_differences_get_an_interval_that_is_no_narrower() -> None:
    differences = [0.0, 0.0, 0.01, 0.0, 0.01, 0.0, 0.02, 0.3]
    t = scipy.stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    effect = paired_effect([differences], margin=0.0)
    assert effect.low <= t.low
    assert effect.high > t.high


def test_power_is_what_a_simulation_finds() -> None:
    generator = GENERATOR(3)
    found = [scipy.stats.ttest_1samp(generator.normal(0.5, 1, 20), 0.0).pvalue < 0.05 for _ in range(2000)]
    assert power(0.5, 1.0, 20) == pytest.approx(float(numpy.mean(found)), rel=0.1)


def test_the_seeds_asked_for_are_enough_within_a_third() -> None:
    needed = pairs_needed(0.4, 1.0)
    assert power(0.4, 1.0, round(needed * 0.7)) < 0.8 <= power(0.4, 1.0, round(needed * 1.3))


def test_equal_results_are_no_difference_and_one_pair_decides_nothing() -> None:
    assert paired_effect([[0.0, 0.0, 0.0]], margin=0.01).verdict == "no difference"
    assert paired_effect([[0.5]], margin=0.01).verdict == "undecided"
    assert paired_effect([[0.001, -0.001, 0.002, 0.0]], margin=0.01).verdict == "no difference"


def test_an_undecided_comparison_says_how_many_seeds_are_missing() -> None:
    effect = paired_effect([[0.05, -0.02, 0.04, 0.0, 0.03]], margin=0.001)
    assert effect.verdict == "undecided"
    assert effect.more is not None
    assert effect.more > 0


@pytest.mark.parametrize(
    ("differences", "margin", "reason"),
    [
        ([[0.051, -0.049, 0.02, -0.02, 0.03, -0.031]], 0.0, "small"),  # a mean that is nothing beside its noise
        ([[0.051, -0.049, 0.02, -0.02, 0.03, -0.031]], 1e-4, "small"),  # a margin that is
        ([[0.05, -0.05, 0.02, -0.02]], 0.0, "small"),  # no mean at all
        ([[0.05, -0.02, 0.04, 0.0, 0.03]], 0.001, ""),
        ([[0.05, 0.04, 0.06], [-0.06, -0.04, -0.05]], 0.001, "folds"),
    ],
)
def test_no_number_of_seeds_is_told_that_nobody_trains(
    differences: list[list[float]], margin: float, reason: str
) -> None:
    effect = paired_effect(differences, margin=margin)
    assert (effect.verdict, effect.reason) == ("undecided", reason)
    assert (effect.more is None) == bool(reason)
    assert (effect.more or 1) <= MOST_MORE


def test_many_comparisons_are_judged_as_one_family() -> None:
    effect = paired_effect([[0.02, 0.05, 0.01, 0.03, 0.04]], margin=0.0)
    assert effect.verdict == "better"
    nothing = [paired_effect([[0.1, -0.1, 0.05, -0.06, 0.01]], margin=0.0)] * 9
    assert holm([effect, *nothing])[0].p == pytest.approx(effect.p * 10)
    assert holm([effect, *nothing])[0].verdict == "undecided"
