"""scaler-misuse: gradients that a GradScaler has multiplied are used as they are, or it is not told of a step."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    scaling = measured.scaling
    numbers = {"scale": scaling.scale, "steps": scaling.steps, "clips": scaling.clips}
    if scaling.clips >= thresholds["min_steps"] and scaling.scale != 1:
        return Verdict("error", scaling.clipped_since, numbers, remedies=("unscale-first",))
    least = 1 if measured.crashed else thresholds["min_steps"]  # its update() refuses to go on without its step()
    if scaling.steps >= least and scaling.scale != 1:
        return Verdict("error", scaling.stepped_since, numbers, variant="step", remedies=("scaler-step",))
    if scaling.bare >= thresholds["min_steps"] and scaling.scale != 1:
        return Verdict("error", scaling.bare_since, numbers, variant="bare", remedies=("backward-scaled",))
    if measured.crashed and scaling.called > 1 and not scaling.updates:
        return Verdict("error", 1, numbers, variant="update", remedies=("scaler-update",))
    return None


RULE = Rule(
    "scaler-misuse",
    _judge,
    "PyTorch, Automatic Mixed Precision examples: working with unscaled gradients",
    severities=("error",),
    needs=("optimizer",),
    fault_in="clip",
    variants_in={"step": "step", "update": "step", "bare": "backward"},
    remedies=("unscale-first", "scaler-step", "scaler-update", "backward-scaled"),
    thresholds={"min_steps": Threshold(2, "steps")},
    reads="start",
    symptoms=(
        "clip-too-tight", "lr-too-low", "lr-too-high", "too-few-epochs", "plateau", "underfitting", "nonfinite",
        "exploding-gradient", "output-collapsed", "vanishing-gradient", "overfitting",
    ),
)  # fmt: skip
