"""A study of real data against a plain computation from its table, formula by formula."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import scipy.stats

import danlu
from danlu.lab.study.study import Study

FOLDS, SEEDS = 5, 4
RATES, NETS = [0.003, 0.01, 0.1], ["relu", "sigmoid"]


@pytest.fixture(scope="module")
def pima(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return danlu.compare(
        "mlp",
        "pima-diabetes",
        vary={"lr": RATES, "net.activation": NETS},
        seeds=SEEDS,
        folds=FOLDS,
        epochs=4,
        width=16,
        batch_size=64,
        baselines=["majority", "linear"],
        folder=tmp_path_factory.mktemp("pima"),
        progress=False,
        **{"data.root": str(data_root)},
    )


@pytest.fixture
def scores(pima: Study) -> Any:
    """Accuracies by rate, activation, fold and seed, read from the study's table."""
    found = numpy.full((len(RATES), len(NETS), FOLDS, SEEDS), numpy.nan)
    for row in pima.table().iter_rows(named=True):
        place = RATES.index(row["optim.lr"]), NETS.index(row["net.activation"])
        found[(*place, row["fold"], row["seed"])] = row["accuracy"]
    assert not numpy.isnan(found).any()
    return found


def interval(by_fold: Any) -> tuple[float, float, float, float]:
    """Mean, interval and p-value of Nadeau and Bengio's corrected t-test over folds."""
    k = len(by_fold)
    mean, error = by_fold.mean(), by_fold.std(ddof=1) * numpy.sqrt(1 / k + 1 / (k - 1))
    half = scipy.stats.t.ppf(0.975, k - 1) * error
    return mean, mean - half, mean + half, 2 * scipy.stats.t.sf(abs(mean / error), k - 1)


def test_effects_intervals_and_adjusted_p_values(pima: Study, scores: Any) -> None:
    wanted = [
        interval((scores[1] - scores[0]).mean((0, 2))),
        interval((scores[2] - scores[0]).mean((0, 2))),
        interval((scores[:, 1] - scores[:, 0]).mean((0, 2))),
    ]
    p = numpy.array([p for _, _, _, p in wanted])
    order = p.argsort()
    adjusted = numpy.empty(3)
    adjusted[order] = numpy.maximum.accumulate(numpy.minimum(1, p[order] * [3, 2, 1]))
    for effect, (mean, low, high, _), p_together in zip(pima.effects, wanted, adjusted, strict=True):
        found = effect.as_dict()
        assert (found["mean"], found["low"], found["high"]) == pytest.approx((mean, low, high))
        assert found["p"] == pytest.approx(p_together)
        verdict = "no difference" if low >= -0.01 and high <= 0.01 else "undecided"
        assert found["verdict"] == (verdict if p_together > 0.05 else "better" if mean > 0 else "worse")


def test_the_interaction(pima: Study, scores: Any) -> None:
    (table,) = (one.as_dict() for one in pima.interactions)
    assert numpy.array(table["means"]) == pytest.approx(scores.mean((2, 3)))
    for number, change in enumerate(table["changes"], start=1):
        by_fold = ((scores[number, 1] - scores[number, 0]) - (scores[0, 1] - scores[0, 0])).mean(1)
        assert (change["mean"], change["low"], change["high"]) == pytest.approx(interval(by_fold)[:3])


def test_the_best_has_the_best_mean_and_is_scored_once_on_samples_nobody_saw(pima: Study, scores: Any) -> None:
    best = pima.best
    assert best is not None
    rate, net = numpy.unravel_index(scores.mean((2, 3)).argmax(), scores.shape[:2])
    assert best.factors == {"optim.lr": RATES[rate], "net.activation": NETS[net]}
    assert best.validation["accuracy"] == pytest.approx(scores[rate, net].mean())
    assert danlu.Run(best.run).score["test"] == best.test


def test_the_majority_is_a_share_of_the_labels(pima: Study, data_root: Path) -> None:
    data = danlu.load("pima-diabetes", root=str(data_root))
    for fold, part in enumerate(data.folds(FOLDS)):
        train, held = (part.y[: part.sizes["train"]], part.y[part.sizes["train"] :][: part.sizes["validation"]])  # pyright: ignore
        wanted = float((held == train.mode().values).double().mean())
        (row,) = [row for row in pima.baselines if (row["baseline"], row["fold"]) == ("majority", fold)]
        assert row["score"]["accuracy"] == pytest.approx(wanted)


def test_it_prints_in_both_languages(pima: Study, language: str) -> None:
    text = str(pima)
    for wanted in {
        "en": ("combination", "20 pairs", "best: optim.lr=", "scikit-learn: majority", "its effect changes by"),
        "zh": ("组合", "20 对", "最佳：optim.lr=", "scikit-learn 基线：majority", "效应随"),
    }[language]:
        assert wanted in text
    assert "optim.lr \\ net.activation" in text
