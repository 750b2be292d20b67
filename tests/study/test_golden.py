"""A study of real data against a plain computation from its table, formula by formula."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import scipy.stats

import danlu
from danlu.study.study import Study

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


ALPHA = 0.045
"""What the first look at a study takes of its 5 %."""


def of_pairs(differences: Any) -> tuple[float, float, Any]:
    """Mean and p-value of differences [folds, seeds], and half of the interval at an alpha: by Nadeau and Bengio's
    t-test over folds and by the t-test over seeds, whichever is wider."""
    folds, seeds = differences.mean(1), differences.mean(0)
    k, n = differences.shape
    tests = [
        (folds.std(ddof=1) * numpy.sqrt(1 / k + 1 / (k - 1)), k - 1),
        (seeds.std(ddof=1) / numpy.sqrt(n), n - 1),
    ]
    mean = float(differences.mean())
    p = max(float(2 * scipy.stats.t.sf(abs(mean) / error, freedom)) for error, freedom in tests)

    def half(alpha: float) -> float:
        return max(float(scipy.stats.t.ppf(1 - alpha / 2, freedom) * error) for error, freedom in tests)

    return mean, p, half


def family(changes: list[Any]) -> list[dict[str, Any]]:
    """Each with its interval and p-value as one of a family (Holm), and the verdict that is read from the interval."""
    found = [of_pairs(change) for change in changes]
    told: list[dict[str, Any]] = [{} for _ in found]
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(found)), key=lambda place: found[place][1])):
        mean, p, half = found[place]
        largest = max(largest, p * (len(found) - rank))
        width = half(ALPHA * p / largest)
        low, high = mean - width, mean + width
        inside = "no difference" if low >= -0.01 and high <= 0.01 else "undecided"
        verdict = "better" if low > 0 else "worse" if high < 0 else inside
        told[place] = {"mean": mean, "low": low, "high": high, "p": min(1.0, largest), "verdict": verdict}
    return told


def test_effects_intervals_and_adjusted_p_values(pima: Study, scores: Any) -> None:
    wanted = family(
        [
            (scores[1] - scores[0]).mean(0),
            (scores[2] - scores[0]).mean(0),
            (scores[:, 1] - scores[:, 0]).mean(0),
        ]
    )
    assert pima.looks == [SEEDS]
    for effect, one in zip(pima.effects, wanted, strict=True):
        found = effect.as_dict()
        assert found["verdict"] == one.pop("verdict")
        assert {name: found[name] for name in one} == pytest.approx(one)


def test_the_interaction(pima: Study, scores: Any) -> None:
    (table,) = (one.as_dict() for one in pima.interactions)
    assert numpy.array(table["means"]) == pytest.approx(scores.mean((2, 3)))
    wanted = family([(scores[number, 1] - scores[number, 0]) - (scores[0, 1] - scores[0, 0]) for number in (1, 2)])
    for change, one in zip(table["changes"], wanted, strict=True):
        assert [change[name] for name in ("mean", "low", "high")] == pytest.approx(
            [one[name] for name in ("mean", "low", "high")]
        )


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
        "en": ("combination", "20 pairs", "best: optim.lr=", "scikit-learn: majority", "the effect of optim.lr"),
        "zh": ("组合", "20 对", "最佳：optim.lr=", "scikit-learn 基线：majority", "效应随"),
    }[language]:
        assert wanted in text
    assert "optim.lr \\ net.activation" in text
