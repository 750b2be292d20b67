"""Store the weights at every new best validation score: the test accuracy of those against that of the last weights.
Both are of the same trainings, looked at after every epoch on the validation part and on the test part."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from danlu.claims.bench import Bench, Trainable
from danlu.claims.claim import Demonstration
from danlu.claims.effect import Trials
from danlu.claims.evidence import (
    ClaimComparison,
    ClaimEvidence,
    Control,
    as_family,
    compared,
    placebo_control,
    positive_control,
)
from danlu.claims.options import ClaimOptions
from danlu.claims.plots import boundary, turning
from danlu.claims.training import ACCURACY, Training
from danlu.claims.tuning import MOST_GROWTHS, Tuned, tune
from danlu.train.progress import rank

_LEVELS = ("last", "best")
_SAMPLES = (100, 300, 1000)
_EPOCHS = 60
_RATES = (0.003, 0.01, 0.03, 0.1)
_TUNING = (10_000, 10_001)
_SEEDS, _MARGIN = 10, 0.005
_CONTROL = 1e-4

Trained = dict[float, list[Training]]


def at_best(judged: Training, validated: Training) -> Training:
    """`judged` with the scores of the epoch at which `validated`, the same training, had its best ones for the first
    time.

    >>> validated = Training(0, 0.1, {}, [1, 2], [], [], 10, course={"loss": [0.4, 0.6]})
    >>> judged = Training(0, 0.1, {"loss": 0.5}, [1, 2], [], [], 10, course={"loss": [0.3, 0.5]})
    >>> at_best(judged, validated).score
    {'loss': 0.3}
    """
    rows = zip(*validated.course.values(), strict=True)
    scores = [dict(zip(validated.course, row, strict=True)) for row in rows]
    ranks = [rank({name: math.nan if value is None else value for name, value in one.items()}) for one in scores]
    best = ranks.index(max(ranks))
    kept = {name: math.nan if course[best] is None else course[best] for name, course in judged.course.items()}
    return replace(judged, score=kept)


def _settings(options: ClaimOptions) -> dict[str, Any]:
    epochs = 4 if options.miniature else _EPOCHS
    # So much patience stops nobody; but it has the scores measured after every epoch.
    settings = {"train.weights": "last", "train.patience": epochs, "train.batch_size": 32, "train.epochs": epochs}
    return {**settings, **options.data_settings()}


def _grid(options: ClaimOptions) -> Sequence[float]:
    return _RATES[1:3] if options.miniature else _RATES


def _parts(options: ClaimOptions) -> dict[str, Any]:
    return {
        "data": options.data or "digits", "net": options.net or "mlp", "factor": "train.weights",
        "levels": {level: {"train.weights": level} for level in _LEVELS},
        "condition": {"data.samples": {str(samples): {} for samples in _samples(options)}},
        "nuisance": {
            "optim.lr": {level: list(_grid(options)) for level in _LEVELS}, "seeds": list(_TUNING),
            "growths": _growths(options),
        },
        "fixed": _settings(options),
        "measure": "accuracy", "expected": "more", "margin": options.margin_or(_MARGIN),
        "seeds": options.seeds_or(_SEEDS), "stopping": "all seeds",
        "controls": {"placebo": _LEVELS[0], "positive": _CONTROL},
    }  # fmt: skip


def _samples(options: ClaimOptions) -> Sequence[int]:
    return _SAMPLES[:1] if options.miniature else _SAMPLES


def _growths(options: ClaimOptions) -> int:
    return 0 if options.miniature else MOST_GROWTHS


@dataclass(frozen=True)
class SampledTrainings:
    """The trainings on so many samples."""

    options: ClaimOptions
    bench: Bench
    samples: int

    def train(self, lot: str, rates: Sequence[float], seeds: Sequence[int], judge: str) -> Trained:
        settings = {**_settings(self.options), "data.samples": self.samples}
        ground = Trainable(self.options.net or "mlp", self.options.data or "digits", settings)
        found = self.bench.train(f"{self.samples}-{lot}", ground, rates=rates, seeds=seeds, judge=judge)
        return {rate: found[rate] for rate in rates}

    def search(self, rates: Sequence[float]) -> dict[str, Trained]:
        """The same trainings for both levels, looked at by each in its own way."""
        last = self.train(f"tuning-{min(rates):g}-{max(rates):g}", rates, _TUNING, "validation")
        return {"last": last, "best": {rate: [at_best(one, one) for one in ones] for rate, ones in last.items()}}

    def tested(self, tuned: Tuned, seeds: Sequence[int]) -> Trials:
        """Both levels at their best rates: the last weights, and those chosen by the validation part."""
        last = self.train("last", [tuned.best["last"]], seeds, "test")[tuned.best["last"]]
        rate = tuned.best["best"]
        judged, validated = (self.train(f"best-{part}", [rate], seeds, part)[rate] for part in ("test", "validation"))
        return {"last": last, "best": [at_best(*both) for both in zip(judged, validated, strict=True)]}


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds = options.seeds_or(_SEEDS)
    comparisons: list[ClaimComparison] = []
    controls: list[Control] = []
    found: dict[str, Trials] = {}
    common: dict[str, Any] = {"measure": ACCURACY.name, "margin": options.margin_or(_MARGIN)}
    for samples in _samples(options):
        ground = SampledTrainings(options, bench, samples)
        tuned = tune(ground.search, _grid(options), ACCURACY, growths=_growths(options))
        if tuned.at_edge and not options.miniature:
            controls.append(Control("tuning", False, levels=tuned.at_edge))
        trials = found[str(samples)] = ground.tested(tuned, seeds)
        values = {level: [ACCURACY.value(trial) for trial in trials[level]] for level in _LEVELS}
        place = f"samples={samples}"
        comparisons.append(
            compared(*values.values(), names=_LEVELS, expected="more", condition=place, rates=tuned.best, **common)
        )
        if len(found) == 1:
            rate = tuned.best["last"]
            others = [seeds[-1] + 1 + seed for seed in seeds]
            again = [ACCURACY.value(trial) for trial in ground.train("placebo", [rate], others, "test")[rate]]
            low = rate * _CONTROL
            spoilt = [ACCURACY.value(trial) for trial in ground.train("positive", [low], seeds, "test")[low]]
            placebo = placebo_control(values["last"], again, name="last", **common)
            positive = positive_control(
                values["last"], spoilt, names=("last", f"last, lr {low:.2g}"), expected="less", **common
            )
            controls += [placebo, positive]
    figure = [turning(next(iter(found.values()))["last"])]
    if len(found) > 1:
        figure.insert(0, boundary("data.samples", found, ACCURACY))
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


BEST_CHECKPOINT_BEATS_LAST = Demonstration("best-checkpoint-beats-last", _parts, _carry_out)
