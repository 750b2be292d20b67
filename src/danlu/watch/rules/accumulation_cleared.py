"""accumulation-cleared: gradients that are to be added up over several batches are cleared between them."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    # Of several optimisers one clears what the loss of another has left; with one sample a time gradients may be
    # gathered elsewhere, to be clipped one by one.
    if len(measured.optimisers) != 1 or measured.foreign_steps or not measured.inputs.batch.median() > 1:
        return None
    optimiser = measured.optimisers[0]
    if optimiser.emptied < thresholds["min_steps"]:
        return None
    numbers = {"passes": optimiser.passes, "lost": optimiser.passes - 1}
    return Verdict("error", optimiser.emptied_since, numbers, remedies=("zero-after-step",))


RULE = Rule(
    "accumulation-cleared",
    _judge,
    "PyTorch, torch.optim.Optimizer.zero_grad; Automatic Mixed Precision examples: gradient accumulation",
    severities=("error",),
    needs=("optimizer", "steps"),
    fault_in="clearing",
    remedies=("zero-after-step",),
    # Whoever looks for a sharp place clears between two passes, and moves the weights; whoever attacks the input asks
    # for its gradient. Neither counts.
    thresholds={"min_steps": Threshold(3, "steps")},
    symptoms=("too-few-epochs", "underfitting", "plateau", "lr-too-low", "overfitting", "unshuffled"),
)
