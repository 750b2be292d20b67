"""Stochastic steps leave a saddle where the full gradient stays.

y = v tanh(w x + c) + d is fitted to y = x² on x's that lie evenly around 0. Where w = 0 and the net answers the mean of
y, the gradient over all samples is 0 in every direction, and the point is a saddle: some w and c do better. The
gradient of a single sample is not 0 there."""

from collections.abc import Sequence
from typing import Any

import numpy
import torch

from danlu.base.seeds import stream
from danlu.claims.bench import Bench
from danlu.claims.claim import Demonstration
from danlu.claims.evidence import ClaimEvidence, CurveData, Plot, as_family, compared, placebo_control, positive_control
from danlu.claims.options import ClaimOptions

_SAMPLES, _RATE, _STEPS = 32, 0.1, 600
_ESCAPED = 0.8  # of the loss at the saddle
_SIZES = (1, 4, 16)
_SEEDS = 20


def _data() -> tuple[numpy.ndarray, numpy.ndarray]:
    x = numpy.linspace(-2, 2, _SAMPLES)
    return x, x**2


def gradient(weights: numpy.ndarray, x: numpy.ndarray, y: numpy.ndarray) -> numpy.ndarray:
    """Of half the mean square error by (w, c, v, d)."""
    w, c, v, d = weights
    inside = numpy.tanh(w * x + c)
    error = v * inside + d - y
    slope = v * (1 - inside**2)
    return numpy.array([(error * slope * x).mean(), (error * slope).mean(), (error * inside).mean(), error.mean()])


def loss(weights: numpy.ndarray) -> float:
    """Half the mean square error over all samples."""
    w, c, v, d = weights
    x, y = _data()
    return float(0.5 * ((v * numpy.tanh(w * x + c) + d - y) ** 2).mean())


def saddle() -> numpy.ndarray:
    """w = 0, c = ½, v = -1, and d so that the answer is the mean of y."""
    _, y = _data()
    return numpy.array([0.0, 0.5, -1.0, y.mean() + numpy.tanh(0.5)])


def course(size: int, seed: int, *, apart: float = 0.0, steps: int = _STEPS) -> list[float]:
    """The loss over all samples after each step from the saddle (or `apart` from it in w), in batches of `size`."""
    x, y = _data()
    weights = saddle() + numpy.array([apart, 0.0, 0.0, 0.0])
    numbers = stream(seed, "noise-leaves-saddles")
    told = [loss(weights)]
    for _ in range(steps):
        rows = slice(None) if size == _SAMPLES else torch.randperm(_SAMPLES, generator=numbers)[:size].numpy()
        weights = weights - _RATE * gradient(weights, x[rows], y[rows])
        told.append(loss(weights))
    return told


def _escaped(losses: Sequence[float]) -> float:
    return float(losses[-1] < _ESCAPED * losses[0])


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("noise-leaves-saddles", "data", "target", "net", "margin")
    return {
        "data": "y = x²", "net": "v tanh(w x + c) + d", "factor": "train.batch_size",
        "levels": {"full batch": {}, **{f"batch {size}": {} for size in _SIZES}},
        "fixed": {"optim.lr": _RATE, "steps": _STEPS, "samples": _SAMPLES},
        "measure": "escaped", "expected": "more", "margin": 0.05,
        "seeds": options.seeds_or(_SEEDS), "stopping": "all seeds",
        "controls": {"placebo": "batch 1", "positive": "full batch, pushed"},
    }  # fmt: skip


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds = options.seeds_or(_SEEDS)
    steps = 100 if options.miniature else _STEPS
    full = course(_SAMPLES, 0, steps=steps)
    by_size = {size: [course(size, seed, steps=steps) for seed in seeds] for size in _SIZES}
    stays = [_escaped(full)] * len(seeds)
    common: dict[str, Any] = {"measure": "escaped", "margin": 0.05, "grain": 1.0}
    leaves = {size: [_escaped(one) for one in courses] for size, courses in by_size.items()}
    comparisons = [
        compared(stays, found, names=("full batch", f"batch {size}"), expected="more", **common)
        for size, found in leaves.items()
    ]
    others = [_escaped(course(1, len(seeds) + seed, steps=steps)) for seed in seeds]
    placebo = placebo_control(leaves[1], others, name="batch 1", **common)
    pushed = [_escaped(course(_SAMPLES, 0, apart=0.1, steps=steps))] * len(seeds)
    positive = positive_control(stays, pushed, names=("full batch", "full batch, pushed"), expected="more", **common)
    controls = [placebo, positive]
    at = list(range(0, steps + 1, 5))
    curves = [CurveData("full-batch", at, full[::5])]
    curves += [CurveData(f"batch {size}", at, courses[0][::5]) for size, courses in by_size.items()]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=[Plot("step", "loss", curves)])


NOISE_LEAVES_SADDLES = Demonstration("noise-leaves-saddles", _parts, _carry_out)
