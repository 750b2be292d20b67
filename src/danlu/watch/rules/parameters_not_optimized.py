"""parameters-not-optimized: the loss sends gradients to parameters that no optimiser holds."""

import itertools

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    net = measured.net
    foreign = sum(one.foreign for one in measured.optimisers if one.given)
    stepped = [one for one in measured.optimisers if one.steps >= thresholds["min_steps"]]
    if net.unlisted > net.unregistered and measured.backwards >= thresholds["min_backward_passes"]:
        # An optimiser holds them, so that they learn; nothing else of torch knows them.
        return Verdict("warning", 1, {"count": net.unlisted}, variant="moved", remedies=("module-list",))
    if net.unregistered and stepped:
        numbers = {"count": net.unregistered}
        if net.made_anew:
            return Verdict("error", 1, numbers, variant="made-anew", remedies=("make-once",))
        return Verdict("error", 1, numbers, variant="unregistered", remedies=("module-list",))
    if not net.unoptimised or not stepped:
        return _frozen(measured) if stepped else None
    where = tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in net.unoptimised))
    numbers = {"count": len(net.unoptimised), "total": net.trainable, "foreign": foreign}
    if foreign and all(one.owned == 0 for one in stepped):
        return Verdict("error", 1, numbers, where, variant="foreign", remedies=("optimizer-after-model",))
    if net.unoptimised_first and not _are_fresh(measured, where):
        # Everything below one layer, and not as an initialisation draws it: a trained trunk, kept as it is.
        return Verdict("advice", 1, numbers, where, variant="trunk", remedies=("freeze-openly",))
    return Verdict("error" if foreign else "warning", 1, numbers, where, remedies=("pass-all-parameters",))


def _frozen(measured: Measured) -> Verdict | None:
    """Parameters of the loss itself that nobody moves; matrices that are frozen at zero; layers at the net's
    beginning that are frozen as an initialisation drew them: meant only for random features."""
    net = measured.net
    if net.loose:
        return Verdict("warning", 1, {"count": net.loose}, variant="loose", remedies=("optimize-loss",))
    if net.frozen_at_zero:
        where = tuple(dict.fromkeys(name.rpartition(".")[0] or name for name in net.frozen_at_zero))
        numbers = {"count": len(net.frozen_at_zero)}
        return Verdict("warning", 1, numbers, where, variant="zero", remedies=("thaw-adapters",))
    layers = [one for one in measured.layers.values() if one.called and one.inputs and "Norm" not in one.kind]
    trunk = list(itertools.takewhile(lambda one: not one.trainable, layers))
    if not trunk or len(trunk) == len(layers) or not all(one.fresh for one in trunk):
        return None
    where = tuple(one.name for one in trunk)
    return Verdict("advice", 1, {"count": len(trunk)}, where, variant="frozen", remedies=("thaw",))


def _are_fresh(measured: Measured, where: tuple[str, ...]) -> bool:
    """Whether most of these layers still hold what torch's initialisation drew."""
    layers = [measured.layers[name] for name in where if name in measured.layers and measured.layers[name].inputs]
    return sum(layer.fresh for layer in layers) > len(layers) / 2


RULE = Rule(
    "parameters-not-optimized",
    _judge,
    "PyTorch, torch.optim: constructing it",
    severities=("error", "warning", "advice"),
    needs=("optimizer", "steps"),
    fault_in="optimizer",
    variants_in={"unregistered": "module", "made-anew": "pass", "moved": "module", "frozen": "module"},
    remedies=(
        "pass-all-parameters", "optimizer-after-model", "module-list", "make-once", "freeze-openly", "thaw",
        "optimize-loss", "thaw-adapters",
    ),
    thresholds={
        "min_steps": Threshold(3, "steps", "steps"),
        "min_backward_passes": Threshold(8, "backward-passes", "backwards"),
    },
    symptoms=(
        "output-collapsed", "no-update", "plateau", "underfitting", "lr-too-low", "too-few-epochs",
        "vanishing-gradient", "parameters-unused", "exploding-gradient", "gradients-accumulate",
    ),
)  # fmt: skip
