"""nonfinite: the loss is NaN or infinite, and where that came from."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    step = measured.nonfinite_at
    if step is None:
        return None
    what, where = measured.nonfinite_what, measured.nonfinite_where
    numbers = {"step": step, "where": where}
    places = (where,) if where and what != "loss" else ()
    variant = what if what in ("input", "weight", "activation", "loss") else "loss"
    remedies = {"input": ("clean-inputs",), "weight": ("lower-rate", "clip"), "activation": ("lower-rate", "safe-math")}
    return Verdict("error", step, numbers, places, variant=variant, remedies=remedies.get(variant, ("safe-math",)))


RULE = Rule(
    "nonfinite",
    _judge,
    "IEEE 754-2019, section 6.2; PyTorch, torch.autograd.detect_anomaly",
    severities=("error",),
    fault_in="loss",
    variants_in={"input": "loader", "loss": "loss", "weight": "module", "activation": "module"},
    remedies=("clean-inputs", "lower-rate", "clip", "safe-math"),
    symptoms=(
        "output-collapsed", "dead-relu", "no-update", "plateau", "underfitting", "saturated", "vanishing-gradient",
        "overfitting", "weight-decay-too-high", "lr-too-low", "label-imbalance",
    ),
)  # fmt: skip
