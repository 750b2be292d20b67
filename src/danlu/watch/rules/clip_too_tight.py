"""clip-too-tight: nearly every gradient is cut down to a small part of itself."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured, Optimiser
from danlu.watch.reading import is_adaptive, progress, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for one in measured.optimisers:
        found = _of_optimiser(one, measured, thresholds)
        if found:
            return found
    return None


def _of_optimiser(one: Optimiser, measured: Measured, thresholds: Thresholds) -> Verdict | None:
    gone = progress(measured)
    slow = not gone > thresholds["progress"]
    # An adaptive optimiser divides a constant factor out again.
    severity = "advice" if is_adaptive(one) else "warning"
    limit = one.clipped_to
    if limit is not None and len(one.clip) >= thresholds["times"]:
        kept = one.clip.median(10)
        if kept < thresholds["kept"] and max(one.clip.values[-10:]) < 1 and (slow or kept < thresholds["kept"] / 5):
            numbers = {"limit": limit, "norm": limit / kept, "kept": kept}
            return Verdict(severity, one.clip.steps[0], numbers, remedies=({"train.clip_norm": _round(limit / kept)},))
    if limit is not None and len(one.capped) >= thresholds["times"]:
        share = one.capped.median(10)
        if share > thresholds["capped"] and slow:
            numbers = {"limit": limit, "share": share}
            return Verdict(severity, one.capped.steps[0], numbers, variant="value", remedies=("clip-by-norm",))
    norms = one.gradient.finite(10)
    even = len(norms) >= 8 and norms[0] > 0 and (max(norms) - min(norms)) < 1e-3 * max(norms)
    if limit is None and even and slow and step_size(measured) < thresholds["size"] and math.isfinite(gone):
        numbers = {"limit": norms[-1], "norm": math.nan, "kept": math.nan}
        return Verdict(severity, one.gradient.steps[0], numbers, variant="even", remedies=("clip-looser",))
    return None


def _round(norm: float) -> float:
    return float(f"{norm:.1g}")


RULE = Rule(
    "clip-too-tight",
    _judge,
    "Pascanu et al. 2013, arXiv:1211.5063: clip at a few times the usual norm, so that only outliers are cut",
    # Recurrent nets are clipped at 1 to 5 where their norms are 1 to 20. A twentieth kept, at every step, is a second,
    # hidden learning rate.
    thresholds={"times": 6, "kept": 0.05, "capped": 0.5, "progress": 0.5, "size": 1e-3},
    symptoms=("lr-too-low", "plateau", "underfitting", "too-few-epochs"),
)
