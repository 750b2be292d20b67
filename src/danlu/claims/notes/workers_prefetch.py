"""Loading with several workers is parallel and prefetches: seconds for an epoch by the number of workers, for samples
that take time to fetch (as from a disk or a network), and for samples that lie in memory."""

import time
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from danlu.claims.bench import Bench
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

_WAITS = {"4 ms a sample": 0.004, "in memory": 0.0}
_WORKERS = (0, 1, 2)
_SAMPLES, _BATCH, _STEP = 256, 32, 0.01  # the step of training that prefetching can hide behind, in seconds
_REPEATS = 6
_MARGIN = 0.05  # seconds


class WaitingSamples(Dataset[Tensor]):
    """Samples that each take so many seconds to fetch."""

    def __init__(self, samples: int, wait: float) -> None:
        self._samples, self._wait = samples, wait

    def __len__(self) -> int:
        return self._samples

    def __getitem__(self, index: int) -> Tensor:
        if self._wait:
            time.sleep(self._wait)
        return torch.full((16,), float(index))


def epoch_seconds(samples: int, wait: float, workers: int) -> float:
    """Seconds for one epoch, a training step of 10 ms a batch included."""
    begin = time.perf_counter()
    for _ in DataLoader(WaitingSamples(samples, wait), batch_size=_BATCH, num_workers=workers):
        time.sleep(_STEP)
    return time.perf_counter() - begin


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("workers-prefetch", "data", "target", "net")
    return {
        "data": "DataLoader", "factor": "num_workers", "levels": {f"{count} workers": {} for count in _WORKERS},
        "condition": {"samples": {place: {} for place in _WAITS}},
        "fixed": {"samples": _SAMPLES, "batch_size": _BATCH, "step seconds": _STEP},
        "measure": "seconds", "expected": "less", "margin": options.margin_or(_MARGIN),
        "seeds": options.seeds_or(_REPEATS), "stopping": "all seeds",
        "controls": {"placebo": "0 workers", "positive": "0 workers, 4 times the wait"},
    }  # fmt: skip


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    samples = 64 if options.miniature else _SAMPLES
    common: dict[str, Any] = {"measure": "seconds", "margin": options.margin_or(_MARGIN), "grain": 0.001}
    comparisons: list[ClaimComparison] = []
    controls: list[Control] = []
    curves: list[CurveData] = []
    for place, wait in _WAITS.items():
        bench.note(place)
        # All in turn, repeat by repeat, so that a machine busy for a while is busy for all of them.
        rows = [[epoch_seconds(samples, wait, count) for count in _WORKERS] for _ in options.seeds_or(_REPEATS)]
        none, *others = ([row[column] for row in rows] for column in range(len(_WORKERS)))
        for count, seconds in zip(_WORKERS[1:], others, strict=True):
            names = ("0 workers", f"{count} workers")
            comparisons.append(compared(none, seconds, names=names, expected="less", condition=place, **common))
        curves.append(CurveData(place, list(_WORKERS), [sum(column) / len(column) for column in (none, *others)]))
        if not controls:
            again = [epoch_seconds(samples, wait, 0) for _ in rows]
            slow = [epoch_seconds(samples, 4 * wait, 0) for _ in rows]
            placebo = placebo_control(none, again, name="0 workers", **common)
            positive = positive_control(
                none, slow, names=("0 workers", "0 workers, 4 times the wait"), expected="more", **common
            )
            controls = [placebo, positive]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=[Plot("workers", "seconds", curves)])


WORKERS_PREFETCH = Demonstration("workers-prefetch", _parts, _carry_out)
