"""On small data choose hyperparameters by k-fold (k = 5): the regret on the untouched test part of what 5 folds choose,
against what one split chooses. The candidates are regularisation strengths of ridge classifiers on a few digits, whose
fits are exact, so that nothing but the choice differs."""

from collections.abc import Sequence
from typing import Any

import numpy

from danlu.base.seeds import order
from danlu.claims.bench import Bench
from danlu.claims.claim import Demonstration, Published
from danlu.claims.evidence import (
    ClaimComparison,
    ClaimEvidence,
    Control,
    CurveData,
    Plot,
    as_family,
    compared,
    placebo_control,
    positive_control,
)
from danlu.claims.options import ClaimOptions
from danlu.data import load
from danlu.data.memory import MemoryDataset

_STRENGTHS = tuple(10.0**power for power in range(-6, 5))
_FOLDS = 5
_SAMPLES = (30, 60, 120)
_SEEDS = 60
_MARGIN = 0.01


def ridge(x: numpy.ndarray, y: numpy.ndarray, strength: float) -> numpy.ndarray:
    """Weights [F + 1, C] of the least squares fit to classes as 0 and 1, with a penalty on all but the bias."""
    rows = numpy.hstack([x, numpy.ones((len(x), 1))])
    penalty = strength * numpy.eye(rows.shape[1])
    penalty[-1, -1] = 1e-9
    return numpy.linalg.solve(rows.T @ rows + penalty, rows.T @ numpy.eye(10)[y])


def accuracy(weights: numpy.ndarray, x: numpy.ndarray, y: numpy.ndarray) -> float:
    """The share of samples [N, F] whose largest output is their class's."""
    return float(((numpy.hstack([x, numpy.ones((len(x), 1))]) @ weights).argmax(1) == y).mean())


def chosen(x: numpy.ndarray, y: numpy.ndarray, parts: Sequence[numpy.ndarray]) -> int:
    """The candidate with the best mean accuracy over `parts`, each held out in turn; of equals the middle one."""
    scores = numpy.zeros(len(_STRENGTHS))
    for held in parts:
        kept = numpy.setdiff1d(numpy.arange(len(x)), held)
        scores += [accuracy(ridge(x[kept], y[kept], strength), x[held], y[held]) for strength in _STRENGTHS]
    best = numpy.flatnonzero(scores >= scores.max() - 1e-12)
    return int(best[len(best) // 2])


def _regrets(samples: int, seed: int) -> tuple[float, float, float]:
    """What 5 folds, one split, and a choice blindfold lose against the best candidate on the test part."""
    x, y = _rows()
    rows = order(len(x), seed, samples).numpy()
    train, rest = rows[:samples], rows[samples:]
    tested = [accuracy(ridge(x[train], y[train], strength), x[rest], y[rest]) for strength in _STRENGTHS]
    shuffled = order(samples, seed, 0).numpy()
    folds = numpy.array_split(shuffled, _FOLDS)
    by_folds, by_split = chosen(x[train], y[train], folds), chosen(x[train], y[train], folds[:1])
    return max(tested) - tested[by_folds], max(tested) - tested[by_split], max(tested) - tested[0]


_CACHE: dict[str, tuple[numpy.ndarray, numpy.ndarray]] = {}


def _rows() -> tuple[numpy.ndarray, numpy.ndarray]:
    if "rows" not in _CACHE:
        data = load("digits")
        assert isinstance(data, MemoryDataset)
        _CACHE["rows"] = data.x.reshape(len(data.x), -1).double().numpy() / 16, data.y.numpy()
    return _CACHE["rows"]


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("kfold-picks-well", "data", "target", "net", "margin")
    return {
        "data": "digits", "net": "ridge classifier", "factor": "chosen by",
        "levels": {"one split": {}, f"{_FOLDS} folds": {}},
        "condition": {"samples": {str(count): {} for count in _SAMPLES}},
        "fixed": {"strengths": list(_STRENGTHS)},
        "measure": "regret", "expected": "less", "margin": _MARGIN, "seeds": options.seeds_or(_SEEDS),
        "stopping": "all seeds", "controls": {"placebo": "one split", "positive": "blindfold"},
    }  # fmt: skip


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds = options.seeds_or(_SEEDS)
    comparisons: list[ClaimComparison] = []
    means: dict[str, list[float]] = {"one split": [], f"{_FOLDS} folds": []}
    controls: list[Control] = []
    common: dict[str, Any] = {"measure": "regret", "margin": _MARGIN, "grain": 1 / 1000}
    for samples in _SAMPLES[:1] if options.miniature else _SAMPLES:
        bench.note(f"samples={samples}")
        found = [_regrets(samples, seed) for seed in seeds]
        folds, split, blind = ([row[place] for row in found] for place in range(3))
        names = ("one split", f"{_FOLDS} folds")
        comparisons.append(
            compared(split, folds, names=names, expected="less", condition=f"samples={samples}", **common)
        )
        for name, values in zip(names, (split, folds), strict=True):
            means[name].append(sum(values) / len(values))
        if not controls:
            others = [_regrets(samples, len(seeds) + seed)[1] for seed in seeds]
            placebo = placebo_control(split, others, name="one split", **common)
            positive = positive_control(split, blind, names=("one split", "blindfold"), expected="more", **common)
            controls = [placebo, positive]
    labels = [str(count) for count in _SAMPLES[: len(comparisons)]]
    at = [float(place) for place in range(len(labels))]
    curves = [CurveData(name, at, values, points=True) for name, values in means.items()]
    figure = [Plot("samples", "regret", curves, ticks=labels)]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


KFOLD_PICKS_WELL = Demonstration(
    "kfold-picks-well",
    _parts,
    _carry_out,
    published=(
        Published("Bouthillier et al. 2021, https://arxiv.org/abs/2103.03098", "agrees with the claim"),
    ),
)  # fmt: skip
