"""A small part of `make honesty`, from fixed seeds: of studies whose truth is known hardly anything false is said."""

import math

import numpy
import pytest

import simulated_studies as made
from danlu.stats.looks import look_alpha
from danlu.stats.studies import factor_effects

STUDIES = 400
ALLOWED = 0.05 + 3 * math.sqrt(0.05 * 0.95 / STUDIES)
KINDS = {scores.name: scores for scores in made.SCORES}


@pytest.mark.every(4)
@pytest.mark.parametrize("levels", [1, 6])
@pytest.mark.parametrize("diverging", [False, True])
@pytest.mark.parametrize("scores", made.SCORES, ids=list(KINDS))
def test_nothing_is_found_where_nothing_differs(scores: made.Scores, diverging: bool, levels: int) -> None:
    generator = numpy.random.default_rng(1)
    for folds, seeds in ((1, 2), (1, 3), (1, 5), (1, 20), (5, 3), (5, 10)):
        shape = (STUDIES, levels + 1, folds, seeds)
        values = scores.draw(generator, shape, 0.0)
        diverged = made.drawn_divergence(generator, shape, [0.2 * diverging or 1e-12] * (levels + 1))
        family = made.judged(scores, values, diverged, 0.95)
        assert made.told(family).any(-1).mean() <= ALLOWED, (folds, seeds)
        known = numpy.isfinite(family.low)
        if known.sum() > 500:
            assert ((family.low <= 0) & (family.high >= 0))[known].mean() >= 0.93, (folds, seeds)


@pytest.mark.every(2)
@pytest.mark.parametrize("diverging", [False, True])
@pytest.mark.parametrize("name", ["accuracy on 36, independent", "accuracy on 36, at 98%", "R²"])
def test_looking_after_every_seed_up_to_fifty_tells_nothing_more(name: str, diverging: bool) -> None:
    scores, generator = KINDS[name], numpy.random.default_rng(2)
    shape = (STUDIES, 2, 1, 50)
    values = scores.draw(generator, shape, 0.0)
    diverged = made.drawn_divergence(generator, shape, [0.2 * diverging or 1e-12] * 2)
    ever = numpy.zeros(STUDIES, dtype=bool)
    for seeds in range(1, 51):
        level = 1 - look_alpha(range(1, seeds + 1))
        ever |= made.told(made.judged(scores, values, diverged, level, seeds)).any(-1)
    assert ever.mean() <= ALLOWED


@pytest.mark.every(2)
@pytest.mark.parametrize(("seeds", "folds"), [(2, 1), (3, 1), (8, 1), (4, 3)])
@pytest.mark.parametrize("name", ["accuracy on 36, at 98%", "loss, skewed, with outliers"])
def test_the_arrays_are_judged_as_the_members_of_a_study_are(name: str, seeds: int, folds: int) -> None:
    scores, generator = KINDS[name], numpy.random.default_rng(3)
    shape = (12, 4, folds, seeds)
    values = scores.draw(generator, shape, numpy.array([0.0, -0.3, 0.0, 0.3])[:, None, None])
    diverged = made.drawn_divergence(generator, shape, [0.2, 0.9, 0.2, 0.2])
    family = made.judged(scores, values, diverged, 0.95)
    sign = -1 if scores.metric == "loss" else 1
    for study in range(12):
        found = made.members(scores, values[study], diverged[study])
        effects = factor_effects(found, {"f": [0, 1, 2, 3]}, scores.metric, scores.margin)
        for place, effect in enumerate(effects):
            record = effect.as_dict()
            ends = sorted(sign * family.__dict__[name][study, place] for name in ("low", "high"))
            shown = [-math.inf if record["low"] is None else record["low"]]
            shown.append(math.inf if record["high"] is None else record["high"])
            assert shown == pytest.approx(ends, rel=1e-6, abs=1e-7)
            told = ("undecided", "more", "fewer")[int(family.divergences[study, place])]
            assert record["divergence"]["verdict"] in (told, "none")


def test_a_difference_and_a_level_that_diverges_are_found() -> None:
    scores, generator = KINDS["accuracy on 180, independent"], numpy.random.default_rng(4)
    shape = (STUDIES, 2, 1, 10)
    values = scores.draw(generator, shape, numpy.array([0.0, 0.08])[:, None, None])
    calm = made.judged(scores, values, numpy.zeros(shape, dtype=bool), 0.95)
    assert (calm.verdicts == 1).mean() >= 0.8
    broken = made.judged(scores, values, made.drawn_divergence(generator, shape, [0.1, 0.9]), 0.95)
    assert (broken.divergences == 1).mean() >= 0.8
