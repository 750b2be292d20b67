"""What a study says, from its members."""

import math

import pytest

import view_samples as made
from danlu.stats.members import Member
from danlu.view.info.effects import folds, forest, pairs, score_of, sweep


def test_pairs_agree_in_all_but_the_factor() -> None:
    found = pairs(made.sample_study().members, "net.activation", "sigmoid", "relu", "accuracy")
    assert len(found) == 2 * 3 * 2, "two rates that do not diverge, three seeds, two folds"
    assert [pair.after - pair.before for pair in found] == pytest.approx([0.1] * 12)


def test_the_effect_in_the_forest_is_the_mean_of_its_pairs() -> None:
    study = made.sample_study()
    first = forest(study.effects)[0]
    found = pairs(study.members, first.factor, first.before, first.after, "accuracy")
    assert first.mean == pytest.approx(sum(pair.after - pair.before for pair in found) / len(found))
    assert (first.verdict, first.metric) == ("better", "accuracy")


def test_a_sweep_counts_those_that_diverged_and_leaves_them_out_of_the_mean() -> None:
    swept = sweep(made.sample_study().members, "optim.lr", "accuracy")
    assert [level.value for level in swept.levels] == [0.01, 0.1, 10.0]
    assert [level.diverged for level in swept.levels] == [0, 0, 12]
    assert swept.levels[2].mean is None
    assert swept.levels[1].mean == pytest.approx(0.7 + 0.05 + 0.01 + 0.01)
    assert swept.spread


def test_a_sweep_of_words_has_no_distances() -> None:
    swept = sweep(made.sample_study().members, "net.activation", "accuracy")
    assert not swept.numeric
    assert not swept.spread


def test_folds_hold_each_members_score() -> None:
    found = folds(made.sample_study().members, "accuracy")
    assert found["activation relu, lr 0.1"][1] == pytest.approx((0.82, 0.83, 0.84))
    assert not any("10" in setting for setting in found), "all of them diverged"


def test_one_fold_is_no_spread() -> None:
    members = [member for member in made.sample_study().members if member.fold == 0]
    assert folds(members, "accuracy") == {}


@pytest.mark.parametrize("score", [{}, {"accuracy": math.nan}, {"accuracy": math.inf}, {"loss": 1.0}])
def test_a_member_without_the_score_has_none(score: dict[str, float]) -> None:
    assert score_of(Member({}, 0, 0, score, diverged=False), "accuracy") is None
