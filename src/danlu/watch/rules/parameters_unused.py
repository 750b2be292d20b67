"""parameters-unused: an optimiser holds parameters that no gradient ever reaches."""

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    net = measured.net
    if not net.unreached or measured.backwards < thresholds["backwards"] or measured.step < thresholds["steps"]:
        return None
    where = tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in net.unreached))
    layers = [measured.layers[name] for name in where if name in measured.layers]
    cut = [layer.name for layer in layers if layer.called]
    numbers = {"count": len(net.unreached), "total": net.trainable}
    if cut:
        return Verdict("error", 1, numbers, tuple(cut), variant="cut", remedies=("mend-graph",))
    return Verdict("warning", 1, numbers, where, remedies=("use-or-remove",))


RULE = Rule(
    "parameters-unused",
    _judge,
    "torch.autograd: detach(), .data, .item(), numpy() and no_grad() end the way of a gradient",
    # A branch that is taken now and then is reached within some twenty steps of which eight were measured.
    thresholds={"backwards": 8, "steps": 15},
    symptoms=("plateau", "underfitting", "lr-too-low", "too-few-epochs", "vanishing-gradient", "no-update"),
)
