"""gradients-accumulate: a step follows gradients that an earlier one has followed already."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for optimiser in measured.optimisers:
        if optimiser.stale >= thresholds["min_steps"]:
            return Verdict("error", optimiser.stale_since, {"steps": optimiser.stale}, remedies=("zero-grad",))
    if measured.stale_by_hand >= thresholds["min_steps"] and not measured.optimisers:
        since = max(1, measured.step + 1 - measured.stale_by_hand)
        return Verdict("error", since, {"steps": measured.stale_by_hand}, remedies=("zero-grad",))
    for optimiser in measured.optimisers:
        if optimiser.repeated >= thresholds["min_steps"]:
            numbers = {"steps": optimiser.repeated}
            since = optimiser.repeated_since
            return Verdict("warning", since, numbers, variant="again", remedies=("one-step",))
    most = max((one.steps for one in measured.optimisers), default=0)
    for optimiser in measured.optimisers:
        # One that steps now and then gathers the gradients of every step on purpose.
        if optimiser.mixed >= thresholds["min_steps"] and optimiser.steps >= 0.9 * most:
            numbers = {"steps": optimiser.mixed}
            return Verdict("error", optimiser.mixed_since, numbers, variant="mixed", remedies=("detach-other",))
    return None


RULE = Rule(
    "gradients-accumulate",
    _judge,
    "PyTorch, torch.Tensor.backward and torch.optim.Optimizer.zero_grad",
    severities=("error", "warning"),
    needs=("optimizer", "steps"),
    fault_in="step",
    optimizer_with="stale",
    remedies=("zero-grad", "detach-other", "one-step"),
    # Whoever accumulates on purpose makes no step with a gradient that an earlier step has used already; a few such
    # steps may be the rest of another scheme.
    thresholds={
        "min_steps": Threshold(6, "steps", "steps"),
    },
    symptoms=(
        "output-collapsed", "lr-too-high", "exploding-gradient", "nonfinite", "dead-relu", "saturated", "plateau",
        "underfitting", "bad-init", "overfitting", "too-few-epochs", "clip-too-tight",
    ),
)  # fmt: skip
