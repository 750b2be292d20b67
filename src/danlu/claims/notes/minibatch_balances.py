"""Mini-batches are faster than one sample at a time, steadier than it, and cheaper than the full batch: softmax
regression by plain gradient descent on the digits, each batch size at its own best learning rate."""

from collections.abc import Sequence
from typing import Any

import numpy
import torch

from danlu.base.seeds import order, stream
from danlu.claims.bench import Bench
from danlu.claims.claim import Demonstration
from danlu.claims.evidence import (
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

_SIZES = {"batch 1": 1, "batch 32": 32, "full batch": 0}
_RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_TARGET = 0.3  # mean loss of a training sample, which all sizes come to
_MOST_SAMPLES = 40_000
_LOOKS = 40  # how often on the way the loss over all samples is taken
_SEEDS = 8


def _rows() -> tuple[numpy.ndarray, numpy.ndarray]:
    """The training part of the digits with a 1 for the bias, [N, 65], and the classes as [N, 10] of 0 and 1."""
    data = load("digits")
    assert isinstance(data, MemoryDataset)
    count = data.sizes["train"]
    x = data.x[:count].reshape(count, -1).double().numpy() / 16
    return numpy.hstack([x, numpy.ones((count, 1))]), numpy.eye(10)[data.y[:count].numpy()]


def _probabilities(x: numpy.ndarray, weights: numpy.ndarray) -> numpy.ndarray:
    logits = x @ weights
    shares = numpy.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def descend(size: int, rate: float, seed: int, most: int = _MOST_SAMPLES) -> tuple[list[int], list[float], int]:
    """The samples seen at each look, the loss over all of them there, and how many steps a look is apart."""
    x, y = _CACHE.setdefault("rows", _rows())
    size = size or len(x)
    weights = numpy.zeros((x.shape[1], 10))
    steps = max(1, most // size)
    every = max(1, steps // _LOOKS)
    seen, losses = [0], [float(numpy.log(10))]
    rows, epoch = numpy.zeros(0, dtype=int), 0
    for step in range(1, steps + 1):
        if len(rows) < size:
            rows, epoch = numpy.concatenate([rows, order(len(x), seed, epoch).numpy()]), epoch + 1
        batch, rows = rows[:size], rows[size:]
        weights -= rate * x[batch].T @ (_probabilities(x[batch], weights) - y[batch]) / size
        if step % every == 0:
            seen.append(step * size)
            losses.append(float(-numpy.log((_probabilities(x, weights) * y).sum(1) + 1e-300).mean()))
    return seen, losses, every


_CACHE: dict[str, tuple[numpy.ndarray, numpy.ndarray]] = {}


def reached(seen: Sequence[int], losses: Sequence[float]) -> float:
    """Samples until the loss is at the target; twice as many as there were, where it never is."""
    found = (samples for samples, loss in zip(seen, losses, strict=True) if loss <= _TARGET)
    return float(next(found, 2 * seen[-1]))


def _scatter(losses: Sequence[float]) -> float:
    """The standard deviation of the loss from look to look in the last quarter, its slope taken out."""
    last = numpy.diff(losses[-len(losses) // 4 :])
    return float(last.std())


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("minibatch-balances", "data", "target", "net", "margin")
    return {
        "data": "digits", "net": "softmax-regression", "factor": "train.batch_size",
        "levels": {level: {} for level in _SIZES},
        "nuisance": {"optim.lr": {level: list(_RATES) for level in _SIZES}, "seeds": [10_000], "growths": 0},
        "fixed": {"samples": _most(options), "target loss": _TARGET},
        "measure": "samples-to", "expected": "less", "margin": 500.0, "seeds": options.seeds_or(_SEEDS),
        "stopping": "all seeds", "controls": {"placebo": "batch 32", "positive": 1e-3},
    }  # fmt: skip


def _most(options: ClaimOptions) -> int:
    return 8_000 if options.miniature else _MOST_SAMPLES


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds, most = options.seeds_or(_SEEDS), _most(options)
    rates: dict[str, float] = {}
    courses: dict[str, list[tuple[list[int], list[float], int]]] = {}
    at_edge: list[str] = []
    for level, size in _SIZES.items():
        bench.note(level)
        grid = _RATES[2:5] if options.miniature else _RATES
        merits = [reached(*descend(size, rate, 10_000, most)[:2]) for rate in grid]
        best = int(numpy.argmin(merits))
        rates[level] = grid[best]
        if best in (0, len(grid) - 1) and not options.miniature:
            at_edge.append(level)
        courses[level] = [descend(size, rates[level], seed, most) for seed in seeds]
    samples = {level: [reached(seen, losses) for seen, losses, _ in found] for level, found in courses.items()}
    steps = {level: [count / (_SIZES[level] or 1) for count in samples[level]] for level in ("batch 1", "batch 32")}
    scatter = {level: [_scatter(losses) for _, losses, _ in courses[level]] for level in ("batch 1", "batch 32")}
    common: dict[str, Any] = {"expected": "less", "rates": rates}
    comparisons = [
        compared(samples["full batch"], samples["batch 32"], names=("full batch", "batch 32"), measure="samples-to",
                 margin=500.0, **common),
        compared(steps["batch 1"], steps["batch 32"], names=("batch 1", "batch 32"), measure="steps-to", margin=50.0,
                 **common),
        compared(scatter["batch 1"], scatter["batch 32"], names=("batch 1", "batch 32"), measure="scatter", margin=1e-3,
                 **common),
    ]  # fmt: skip
    again = [reached(*descend(32, rates["batch 32"], len(seeds) + seed, most)[:2]) for seed in seeds]
    slow = [reached(*descend(32, rates["batch 32"] * 1e-3, seed, most)[:2]) for seed in seeds]
    placebo = placebo_control(samples["batch 32"], again, name="batch 32", measure="samples-to", margin=500.0)
    positive = positive_control(
        samples["batch 32"], slow, names=("batch 32", "batch 32, lr / 1000"), measure="samples-to", expected="more",
        margin=500.0, grain=32.0,
    )  # fmt: skip
    controls = [placebo, positive]
    if at_edge:
        controls.append(Control("tuning", False, levels=tuple(at_edge)))
    curves = [CurveData(level, found[0][0], found[0][1]) for level, found in courses.items()]
    figure = [_contour(), Plot("samples", "train-loss", curves)]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


def _contour() -> Plot:
    """The notes' picture: paths of full batch, one sample and mini-batch over the cost of y = w x + b."""
    numbers = stream(0, "minibatch-balances", "contour")
    x = torch.randn(64, dtype=torch.float64, generator=numbers).numpy()
    y = 2 * x + 1 + 0.5 * torch.randn(64, dtype=torch.float64, generator=numbers).numpy()
    grid = numpy.linspace(-1, 4, 51)
    weights, biases = numpy.meshgrid(grid, grid)
    cost = ((weights[..., None] * x + biases[..., None] - y) ** 2).mean(-1)
    paths: list[CurveData] = []
    for label, size, steps in (("batch 1", 1, 60), ("batch 8", 8, 40), ("full batch", 64, 30)):
        weight, bias = -0.5, -0.5
        path = [(weight, bias)]
        for _ in range(steps):
            rows = torch.randperm(64, generator=numbers)[:size].numpy()
            error = weight * x[rows] + bias - y[rows]
            weight, bias = weight - 0.1 * 2 * float((error * x[rows]).mean()), bias - 0.1 * 2 * float(error.mean())
            path.append((weight, bias))
        paths.append(CurveData(label, [a for a, _ in path], [b for _, b in path]))
    return Plot("w", "b", paths, surface=cost.tolist(), grid=(grid.tolist(), grid.tolist()), title="loss")


MINIBATCH_BALANCES = Demonstration("minibatch-balances", _parts, _carry_out)
