"""clip-too-tight: nearly every gradient is cut down to a small part of itself."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.reading import is_adaptive, progress, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for one in measured.optimisers:
        found = _of_optimiser(one, measured, thresholds)
        if found:
            return found
    return None


def _of_optimiser(one: Optimiser, measured: Measured, thresholds: Thresholds) -> Verdict | None:
    gone = progress(measured)
    slow = not gone > thresholds["max_progress_share"]
    # An adaptive optimiser divides a constant factor out again.
    severity = "advice" if is_adaptive(one) else "warning"
    limit = one.clipped_to
    if limit is not None and len(one.clip) >= thresholds["min_measurements"]:
        kept = one.clip.median(10)
        if (
            kept < thresholds["max_kept_share"]
            and max(one.clip.values[-10:]) < 1
            and (slow or kept < thresholds["max_kept_share"] / 5)
        ):
            numbers = {"limit": limit, "norm": limit / kept, "kept": kept}
            return Verdict(severity, one.clip.steps[0], numbers, remedies=({"train.clip_norm": _round(limit / kept)},))
    if limit is not None and len(one.capped) >= thresholds["min_measurements"]:
        share = one.capped.median(10)
        if share > thresholds["min_capped_share"] and slow:
            numbers = {"limit": limit, "share": share}
            return Verdict(severity, one.capped.steps[0], numbers, variant="value", remedies=("clip-by-norm",))
    norms = one.gradient.finite(10)
    even = len(norms) >= 8 and norms[0] > 0 and (max(norms) - min(norms)) < 1e-3 * max(norms)
    if limit is None and even and slow and step_size(measured) < thresholds["max_update_ratio"] and math.isfinite(gone):
        numbers = {"limit": norms[-1], "norm": math.nan, "kept": math.nan}
        return Verdict(severity, one.gradient.steps[0], numbers, variant="even", remedies=("clip-looser",))
    return None


def _round(norm: float) -> float:
    return float(f"{norm:.1g}")


RULE = Rule(
    "clip-too-tight",
    _judge,
    "Pascanu et al. 2013, On the difficulty of training recurrent neural networks, arXiv:1211.5063",
    severities=("warning", "advice"),
    needs=("optimizer",),
    fault_in="clip",
    remedies=({"train.clip_norm": None}, "clip-by-norm", "clip-looser"),
    # Recurrent nets are clipped at 1 to 5 where their norms are 1 to 20. A twentieth kept, at every step, is a second,
    # hidden learning rate.
    thresholds={
        "min_measurements": Threshold(6, "measurements", "times"),
        "max_kept_share": Threshold(0.05, "share", "kept"),
        "min_capped_share": Threshold(0.5, "share", "capped"),
        "max_progress_share": Threshold(0.5, "share", "progress"),
        "max_update_ratio": Threshold(1e-3, "share", "size"),
    },
    symptoms=("output-collapsed", "lr-too-low", "plateau", "underfitting", "too-few-epochs"),
)
