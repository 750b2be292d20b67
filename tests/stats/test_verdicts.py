"""What decides a comparison, case by case: divergence, ties, too few pairs, looks."""

import itertools
import math
from typing import Any

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.stats import check_margin, holm, paired_effect
from danlu.stats.divergence import discordant, divergence_p
from danlu.stats.looks import look_alpha
from danlu.stats.members import Member, grain_of
from danlu.stats.studies import best_factors, factor_effects, proved_factors


def study(
    before: list[float], after: list[float], *, diverged: tuple[set[int], set[int]] = (set(), set()), **more: Any
) -> list[Member]:
    """Members of a factor "f" with the levels "a" and "b", a seed for each of the scores."""
    return [
        Member({"f": level}, seed, 0, {more.get("metric", "accuracy"): value}, seed in lost, more.get("samples"))
        for level, side, lost in (("a", before, diverged[0]), ("b", after, diverged[1]))
        for seed, value in enumerate(side)
    ]


def effect_of(members: list[Member], metric: str = "accuracy", looks: Any = ()) -> Any:
    return factor_effects(members, {"f": ["a", "b"]}, metric, 0.01, looks)[0]


EQUAL = [0.8, 0.81, 0.79, 0.82, 0.8]


@pytest.mark.parametrize("sides", [({0, 1}, set[int]()), (set[int](), {0, 1}), ({0, 1, 2}, {4})])
def test_a_few_that_diverge_by_chance_decide_nothing(sides: tuple[set[int], set[int]]) -> None:
    effect = effect_of(study(EQUAL, EQUAL, diverged=sides))
    assert effect.verdict in ("undecided", "no difference")
    assert effect.divergence.verdict == "undecided"
    assert effect.left_out == len(sides[0] | sides[1])
    assert proved_factors(study(EQUAL, EQUAL, diverged=sides), [effect], "accuracy", 0.01) == {"f": "a"}


def test_divergence_does_not_override_what_the_metric_proves() -> None:
    before = [0.9 + 0.001 * seed for seed in range(8)]
    effect = effect_of(study(before, [0.6] * 8, diverged=({0, 1}, set())))
    assert effect.verdict == "worse"


def test_divergence_that_is_proved_decides_where_the_metric_cannot() -> None:
    members = study(EQUAL, EQUAL, diverged=({0, 1, 2, 3, 4}, set()))
    effect = effect_of(members)
    assert (effect.verdict, effect.divergence.verdict, effect.effect.pairs) == ("better", "fewer", 0)
    record = effect.as_dict()
    assert (record["mean"], record["low"], record["high"]) == (None, None, None)
    assert proved_factors(members, [effect], "accuracy", 0.01) == {"f": "b"}


def test_a_better_metric_with_more_that_diverge_is_no_recommendation() -> None:
    seeds = range(20)
    members = study(
        [0.6 + 0.001 * s for s in seeds], [0.8 + 0.0013 * s for s in seeds], diverged=(set(), set(range(8)))
    )
    effect = effect_of(members)
    assert (effect.effect.verdict, effect.divergence.verdict) == ("better", "more")
    assert (effect.verdict, effect.reason) == ("undecided", "mixed")
    assert proved_factors(members, [effect], "accuracy", 0.01) == {"f": "a"}


def test_the_best_is_not_passed_over_for_one_that_diverged_by_chance() -> None:
    members = study([0.5] * 10, [0.9] * 10, diverged=(set(), {3}))
    assert best_factors(members, "accuracy") == {"f": "b"}
    assert best_factors(study([0.5] * 10, [0.9] * 10, diverged=(set(), set(range(8)))), "accuracy") == {"f": "a"}


@pytest.mark.parametrize(
    "differences",
    [[1 / 36, 1 / 36], [1e-17] * 2, [1e-17] * 5, [0.1] * 2, [0.1] * 3, [0.3] * 10, [0.1], [-0.5, -0.5], [5.0, 5.1]],
)
def test_ties_and_fewer_than_three_pairs_decide_nothing(differences: list[float]) -> None:
    effect = paired_effect([differences], margin=0.01)
    assert effect.verdict == "undecided"
    assert math.isinf(effect.high)
    assert holm([effect, paired_effect([[0.1, -0.1, 0.05]], margin=0.01)])[0].verdict == "undecided"


@pytest.mark.parametrize("metric", ["accuracy", "r2", "loss", "f1"])
def test_seeds_that_change_nothing_are_one_seed(metric: str) -> None:
    effect = effect_of(study([0.5] * 6, [0.9] * 6, metric=metric), metric)
    assert (effect.verdict, effect.reason) == ("undecided", "flat")


def test_a_tie_of_one_sample_is_within_the_grain_and_a_larger_one_is_not() -> None:
    before = [30 / 36, 31 / 36, 29 / 36]
    for step, verdict in ((1, "undecided"), (6, "better")):
        assert effect_of(study(before, [value + step / 36 for value in before])).verdict == verdict


def test_rounding_is_no_difference() -> None:
    before = [0.8, 0.7, 0.75, 0.72]
    effect = effect_of(
        study(before, [value + 1e-9 * (-1) ** place for place, value in enumerate(before)], metric="r2"), "r2"
    )
    assert effect.verdict == "no difference"
    assert effect_of(study(before, [value + 1e-9 for value in before], metric="r2"), "r2").verdict != "better"


@pytest.mark.parametrize("samples", [12, 36, 180, 2000, 10_000])
def test_the_grain_is_read_from_the_scores_where_it_was_not_kept(samples: int) -> None:
    right = numpy.random.default_rng(0).binomial(samples, 0.8, 12)
    members = study([float(numpy.float32(r / samples)) for r in right[:6]], [r / samples for r in right[6:]])
    assert round(1 / grain_of(members, "accuracy")) in {samples, *(samples // k for k in (2, 3) if samples <= 36)}
    assert grain_of(study(EQUAL, EQUAL, samples=500), "accuracy") == 1 / 500
    assert grain_of(members, "loss") == 0


def test_scores_that_move_in_no_steps_have_no_grain() -> None:
    values = numpy.random.default_rng(1).normal(0.8, 0.02, 10).tolist()
    assert grain_of(study(values[:5], values[5:]), "accuracy") < 1e-3


@pytest.mark.parametrize("seeds", [3, 5, 8, 13])
def test_the_test_of_divergence_holds_its_level_however_often_trainings_diverge(seeds: int) -> None:
    for share in (0.05, 0.2, 0.5, 0.8, 0.95):
        for agreeing in (0.0, 0.5, 0.9):  # how often both sides do the same because of the pair
            alone = (1 - agreeing) * share * (1 - share)
            chances = [1 - 2 * alone, alone, alone]
            told = 0.0
            for more, fewer in itertools.product(range(seeds + 1), repeat=2):
                rest = seeds - more - fewer
                if rest >= 0 and divergence_p(more, fewer, seeds) <= 0.05:
                    ways = math.factorial(seeds) // (
                        math.factorial(more) * math.factorial(fewer) * math.factorial(rest)
                    )
                    told += ways * chances[0] ** rest * chances[1] ** more * chances[2] ** fewer
            assert told <= 0.05 + 1e-9


def test_trainings_of_a_seed_are_one_unit_of_divergence() -> None:
    before, after = numpy.zeros((2, 5)), numpy.ones((2, 5))  # ten trainings, but two seeds
    assert [int(number) for number in discordant(before, after)] == [2, 0, 2]
    assert divergence_p(2, 0, 2) > 0.05
    always = numpy.ones((4, 1))  # another factor's level that always diverges says nothing of this one
    mixed = [numpy.hstack([always, column]) for column in (numpy.zeros((4, 1)), numpy.ones((4, 1)))]
    assert [int(number) for number in discordant(*mixed)] == [4, 0, 4]


def test_over_folds_an_effect_of_the_seed_is_no_effect_of_the_change() -> None:
    generator = numpy.random.default_rng(0)
    told = 0
    for _ in range(300):
        table = generator.normal(size=(1, 3)) + 0.2 * generator.normal(size=(5, 3))
        told += paired_effect(table.tolist(), margin=0.0).verdict != "undecided"
    assert told <= 300 * 0.05 + 3 * math.sqrt(300 * 0.05 * 0.95)


def test_looks_share_the_five_per_cent() -> None:
    assert look_alpha([10]) == pytest.approx(0.045)
    assert look_alpha([10, 20]) < look_alpha([10])
    assert look_alpha([1, 2]) == 0
    assert 0 < look_alpha([1, 2, 3]) < 0.02
    assert look_alpha([10, 10]) == look_alpha([10])
    assert look_alpha(range(1, 301)) > 0


def test_a_study_under_way_has_a_mean_and_no_answer() -> None:
    members = study([0.5, 0.51, 0.52, 0.5], [0.9, 0.9, 0.92, 0.93], diverged=({0}, set()))
    record = effect_of(members, looks=None).as_dict()
    assert (record["verdict"], record["reason"], record["low"], record["more"]) == (
        "undecided",
        "unfinished",
        None,
        None,
    )
    assert record["mean"] is not None


@pytest.mark.parametrize("margin", [math.nan, -1, -1e-9, math.inf, -math.inf, True, "0.1", None])
def test_margins_that_are_none_are_refused(margin: Any) -> None:
    with pytest.raises(UserError, match="margin"):
        check_margin(margin)
    with pytest.raises(UserError, match="margin"):
        paired_effect([[0.1, 0.2, -0.1]], margin=margin)


def test_verdict_and_interval_agree_in_every_family() -> None:
    generator = numpy.random.default_rng(5)
    for _ in range(100):
        levels, seeds = generator.integers(2, 7), generator.integers(2, 9)
        members = [
            Member({"f": level}, seed, 0, {"accuracy": generator.binomial(36, 0.6 + 0.05 * level) / 36}, False)
            for level in range(levels)
            for seed in range(seeds)
        ]
        for effect in factor_effects(members, {"f": list(range(levels))}, "accuracy", 0.01, looks=[seeds]):
            record = effect.as_dict()
            if record["low"] is None:
                wanted = "undecided"
            elif record["low"] > 0 or record["high"] < 0:
                wanted = "better" if record["low"] > 0 else "worse"
            else:
                wanted = "no difference" if record["low"] >= -0.01 and record["high"] <= 0.01 else "undecided"
            assert record["verdict"] == wanted
            assert (record["more"] is None) == (wanted != "undecided" or record["reason"] in ("flat", "small"))


@pytest.mark.parametrize("huge", [1e39, 1e99, 1e101, 1e154, 1e200, 1.7e308, math.inf])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("metric", ["r2", "loss", "rmse"])
def test_scores_of_huge_size_neither_warn_nor_prove_what_is_not(metric: str, sign: int, huge: float) -> None:
    noise = [1.0, 0.3, 0.7, 0.45, 0.9, 0.6]
    wild = [sign * huge * share for share in noise]
    for before, after in ((wild, wild[::-1]), (wild[:3] + EQUAL[:3], EQUAL[:3] + wild[:3])):  # nothing that is better
        members = study(before, after, metric=metric)
        assert effect_of(members, metric).verdict in ("undecided", "no difference")
        assert proved_factors(members, [effect_of(members, metric)], metric, 0.01) == {"f": "a"}
    members = study(EQUAL, wild[:5], metric=metric)
    assert best_factors(members, metric) == {"f": "a"} or (metric == "r2") == (sign > 0)
    effect = effect_of(members, metric)
    assert (
        effect.verdict == "worse" or (huge <= 1e100 and effect.verdict == "undecided") or (metric == "r2") == (sign > 0)
    )
