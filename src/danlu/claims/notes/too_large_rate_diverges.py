"""If the cost diverges instead of converging, the learning rate is too large: trainings that diverge, each again with
other seeds at the same rate, and again with the same seed at the lowest rate of the sweep. Raw inputs and wide initial
weights are there to make the cost diverge at lower rates, and to be another cause, if there is one."""

import math
from collections.abc import Sequence
from typing import Any

from danlu.claims.bench import Bench, Trainable
from danlu.claims.claim import Demonstration
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
from danlu.claims.training import Training, last_loss

_SWEEP = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
_STILL = 1e-9  # the rate at which nothing moves: the cost where it began
_PLACES: dict[str, dict[str, Any]] = {
    "mlp": {},
    "raw inputs": {"data.standardise": False},
    "wide initial weights": {"net.init": ["normal", 1.0]},
}
_NET = {"net.hidden": [64, 64], "train.batch_size": 32, "train.epochs": 10, "train.weights": "last"}
_SEEDS = 10
_MARGIN = 0.05

Ended = dict[float, list[bool]]


def diverged(trial: Training, still: Training) -> bool:
    """Whether the training loss ended above where it began, or not as a number."""
    return trial.diverged or not last_loss(trial.train) <= last_loss(still.train)


def _share(ended: Sequence[bool]) -> float:
    """NaN of none."""
    return sum(ended) / len(ended) if ended else math.nan


def _again(ended: Ended, seed: int, other: int) -> float:
    """Of the rates at which `seed` diverged, the share at which `other` did."""
    return _share([ones[other] for ones in ended.values() if ones[seed]])


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("too-large-rate-diverges", "data", "target", "net")
    return {
        "data": "digits", "net": "mlp", "factor": "optim.lr",
        "levels": {"same rate, another seed": {}, f"same seed, rate {_SWEEP[0]:g}": {}},
        "condition": {"net": _PLACES},
        "fixed": {**_NET, "rates": list(_SWEEP)},
        "measure": "diverged", "expected": "less", "margin": options.margin_or(_MARGIN),
        "seeds": options.seeds_or(_SEEDS), "stopping": "all seeds",
        "controls": {"placebo": "same rate, another seed", "positive": f"rate {_SWEEP[-1]:g} / rate {_SWEEP[0]:g}"},
    }  # fmt: skip


def _ended(options: ClaimOptions, bench: Bench, place: str) -> Ended:
    """By rate of the sweep, of three times as many seeds as are compared: whether the training diverged."""
    settings = {**_NET, **_PLACES[place]} | ({"train.epochs": 1} if options.miniature else {})
    seeds = range(3 * len(options.seeds_or(_SEEDS)))
    lot = place.replace(" ", "-")
    found = bench.train(lot, Trainable("mlp", "digits", settings), rates=[_STILL, *_SWEEP], seeds=seeds, judge="test")
    return {rate: [diverged(*both) for both in zip(found[rate], found[_STILL], strict=True)] for rate in _SWEEP}


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    count = len(options.seeds_or(_SEEDS))
    common: dict[str, Any] = {"measure": "diverged", "margin": options.margin_or(_MARGIN), "grain": 1 / len(_SWEEP)}
    names = ("same rate, another seed", f"same seed, rate {_SWEEP[0]:g}")
    comparisons: list[ClaimComparison] = []
    controls: list[Control] = []
    curves: list[CurveData] = []
    for place in _PLACES:
        ended = _ended(options, bench, place)

        others, yet_others = (
            [_again(ended, seed, seed + start) for seed in range(count)] for start in (count, 2 * count)
        )
        lowest = [_share([ended[_SWEEP[0]][seed] for ones in ended.values() if ones[seed]]) for seed in range(count)]
        comparisons.append(compared(others, lowest, names=names, expected="less", condition=place, **common))
        curves.append(CurveData(place, list(_SWEEP), [_share(ones) for ones in ended.values()]))
        if not controls:
            placebo = placebo_control(others, yet_others, name=names[0], **common)
            low, high = ([float(one) for one in ended[rate][:count]] for rate in (_SWEEP[0], _SWEEP[-1]))
            ends = (f"rate {_SWEEP[0]:g}", f"rate {_SWEEP[-1]:g}")
            positive = positive_control(low, high, names=ends, expected="more", **common)
            controls = [placebo, positive]
    figure = [Plot("learning-rate", "diverged", curves, log_x=True)]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


TOO_LARGE_RATE_DIVERGES = Demonstration("too-large-rate-diverges", _parts, _carry_out)
