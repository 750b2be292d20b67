"""parameters-unused: an optimiser holds parameters that no gradient ever reaches."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    net = measured.net
    if (
        not net.unreached
        or measured.backwards < thresholds["min_backward_passes"]
        or measured.step < thresholds["min_steps"]
    ):
        return None
    where = tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in net.unreached))
    layers = [measured.layers[name] for name in where if name in measured.layers]
    numbers = {"count": len(net.unreached), "total": net.trainable}
    if measured.checkpointed_dry >= thresholds["min_backward_passes"]:
        return Verdict("error", 1, numbers, where, variant="checkpoint", remedies=("checkpoint-inputs",))
    cut = [layer.name for layer in layers if layer.called]
    if cut:
        # Where an optimiser has parameters and no gradient at all, it is its loss that does not lead to them.
        bare = (one.backward_at for one in measured.optimisers if one.without_gradient.median() == 1)
        line = next((one for one in bare if one is not None), None)
        return Verdict("error", 1, numbers, tuple(cut), variant="cut", remedies=("mend-graph",), line=line)
    # One of several branches that take turns may have waited all the time.
    severity = "advice" if all(_has_used_sibling(name, measured) for name in where) else "warning"
    return Verdict(severity, 1, numbers, where, remedies=("use-or-remove",))


def _has_used_sibling(name: str, measured: Measured) -> bool:
    """Whether another entry of the same list of modules got gradients."""
    parts = name.split(".")
    for place, part in enumerate(parts):
        if not part.isdigit():
            continue
        for layer in measured.layers.values():
            others = layer.name.split(".")
            same = (
                len(others) == len(parts)
                and others[:place] == parts[:place]
                and others[place + 1 :] == parts[place + 1 :]
            )
            if same and others[place] != part and layer.reached:
                return True
    return False


RULE = Rule(
    "parameters-unused",
    _judge,
    "PyTorch, torch.Tensor.detach and torch.no_grad",
    severities=("error", "warning", "advice"),
    needs=("optimizer", "steps"),
    fault_in="module",
    variants_in={"checkpoint": "checkpoint"},
    told_by=("no_grad", "inference_mode", "set_grad_enabled"),
    remedies=("mend-graph", "use-or-remove", "checkpoint-inputs"),
    # A branch that is taken now and then is reached within some twenty steps of which eight were measured.
    thresholds={
        "min_backward_passes": Threshold(8, "backward-passes", "backwards"),
        "min_steps": Threshold(15, "steps", "steps"),
    },
    symptoms=(
        "output-collapsed", "plateau", "underfitting", "lr-too-low", "too-few-epochs", "vanishing-gradient",
        "no-update",
    ),
)  # fmt: skip
