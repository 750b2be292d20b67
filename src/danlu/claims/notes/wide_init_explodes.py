"""Products of activations and gradients can leave the range of numbers: the share of networks whose loss or gradient is
not finite before any training, by the standard deviation of the initial weights and by depth."""

import math
from typing import Any

from danlu.claims.bench import Bench
from danlu.claims.claim import Demonstration
from danlu.claims.deep import WIDTH, deep_net, finite, geometric_means, gradient_norms
from danlu.claims.evidence import (
    ClaimComparison,
    ClaimEvidence,
    CurveData,
    Plot,
    as_family,
    compared,
    placebo_control,
    positive_control,
)
from danlu.claims.options import ClaimOptions

_DEPTHS = (5, 20, 50, 100)
_LEVELS: dict[str, Any] = {"Kaiming": "kaiming-normal", "N(0, 1)": ["normal", 1.0]}
_SEEDS = 20
_MARGIN = 0.05
_HUGE = 1e20  # a standard deviation with which two layers overflow


def _found(depth: int, init: Any, seed: int) -> tuple[float, float]:
    """Whether the loss or a gradient overflowed (0 or 1), and the norm of the gradient of the bottom layer."""
    loss, norms = gradient_norms(deep_net(depth, "relu", init, seed))
    return float(not all(map(math.isfinite, (loss, *norms)))), norms[0]


def _parts(options: ClaimOptions) -> dict[str, Any]:
    options.refuse("wide-init-explodes", "data", "target", "net")
    return {
        "data": "digits", "net": "mlp", "factor": "net.init",
        "levels": {level: {"net.init": init} for level, init in _LEVELS.items()},
        "condition": {"net.depth": {str(depth): {} for depth in _DEPTHS}},
        "fixed": {"net.width": WIDTH, "net.activation": "relu", "steps": 0},
        "measure": "overflowed", "expected": "more", "margin": options.margin_or(_MARGIN),
        "seeds": options.seeds_or(_SEEDS), "stopping": "all seeds",
        "controls": {"placebo": next(iter(_LEVELS)), "positive": f"N(0, {_HUGE:g}²)"},
    }  # fmt: skip


def _carry_out(options: ClaimOptions, bench: Bench) -> ClaimEvidence:
    seeds = options.seeds_or(_SEEDS)
    common: dict[str, Any] = {"measure": "overflowed", "margin": options.margin_or(_MARGIN), "grain": 1.0}
    careful, wide = _LEVELS
    comparisons: list[ClaimComparison] = []
    shares: dict[str, list[float]] = {level: [] for level in _LEVELS}
    sizes: dict[str, list[float]] = {level: [] for level in _LEVELS}
    for depth in _DEPTHS:
        bench.note(f"depth={depth}")
        found = {level: [_found(depth, init, seed) for seed in seeds] for level, init in _LEVELS.items()}
        over = {level: [share for share, _ in ones] for level, ones in found.items()}
        for level, ones in found.items():
            shares[level].append(sum(over[level]) / len(seeds))
            held = [norm for share, norm in ones if not share]
            sizes[level] += geometric_means([[norm] for norm in held]) if held else [math.nan]
        names = (careful, wide)
        comparisons.append(
            compared(over[careful], over[wide], names=names, expected="more", condition=f"depth={depth}", **common)
        )
    first = _DEPTHS[0]
    before, again, huge = (
        [_found(first, init, start + seed)[0] for seed in seeds]
        for start, init in ((0, _LEVELS[careful]), (len(seeds), _LEVELS[careful]), (0, ["normal", _HUGE]))
    )
    placebo = placebo_control(before, again, name=careful, **common)
    positive = positive_control(before, huge, names=(careful, f"N(0, {_HUGE:g}²)"), expected="more", **common)
    controls = [placebo, positive]
    at = list(_DEPTHS)
    norms = [CurveData(level, at, finite(values)) for level, values in sizes.items()]
    counts = [CurveData(level, at, values) for level, values in shares.items()]
    figure = [Plot("depth", "gradient-norm", norms, log_y=True), Plot("depth", "overflowed", counts)]
    return ClaimEvidence(as_family(comparisons), controls=controls, figure=figure)


WIDE_INIT_EXPLODES = Demonstration("wide-init-explodes", _parts, _carry_out)
