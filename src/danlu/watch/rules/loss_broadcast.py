"""loss-broadcast: outputs [N, 1] against targets [N] make N×N differences instead of N."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import steady_heads

_FEWEST = 2  # steps


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for head in steady_heads(measured):
        if head.broadcast:
            output, result = ("×".join(map(str, size)) for size in head.broadcast)
            numbers = {"output": output, "result": result}
            line = head.line or (measured.code.get("squares") if head.loss == "difference" else None)
            return Verdict("error", 1, numbers, remedies=("squeeze-output",), line=line)
    if measured.grown is not None and measured.grown_steps >= _FEWEST:
        column, pairs = ("×".join(map(str, size)) for size in measured.grown)
        numbers = {"output": column, "result": pairs}
        return Verdict(
            "error", 1, numbers, variant="arithmetic", remedies=("squeeze-column",), line=measured.code.get("advantage")
        )
    return None


RULE = Rule(
    "loss-broadcast",
    _judge,
    "PyTorch, broadcasting semantics",
    severities=("error",),
    needs=("loss",),
    fault_in="loss",
    remedies=("squeeze-output", "squeeze-column"),
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "lr-too-low", "too-few-epochs", "vanishing-gradient",
        "missing-nonlinearity", "lr-too-high", "dead-relu",
    ),
)  # fmt: skip
