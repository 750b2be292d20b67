"""latent-collapsed: the latent distribution of every sample is the standard normal one, so that it tells nothing."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    line = measured.code.get("divergence")
    if line is None or measured.step < thresholds["min_steps"]:
        return None
    layers = list(measured.layers.values())
    still = [one for one in layers[:-1] if _is_still(one, thresholds["max_spread"])]
    # Mean and logarithm of the variance, from two layers of one shape or as the halves of one.
    pairs = [
        (one, other) for one in still for other in still
        if one is not other and (one.inputs, one.outputs) == (other.inputs, other.outputs)
    ]  # fmt: skip
    halves = [(one,) for one in still if one.outputs % 2 == 0 and not _has_sibling(one, layers)]
    found = next(iter([*pairs, *halves]), None)
    if found is None:
        return None
    spread = max(one.std.last for one in found)
    where = tuple(one.name for one in found)
    return Verdict(
        "warning", found[0].std.last_step, {"spread": spread}, where, remedies=("weigh-divergence",), line=line
    )


def _is_still(layer: Layer, most: float) -> bool:
    """Whether what a layer gives has fallen to 0, whatever the sample."""
    spreads, means = layer.std.values[-2:], layer.mean.values[-2:]
    small = len(layer.std) > 2 and max(spreads) < most and max(map(abs, means)) < most
    return layer.outputs > 1 and small and layer.std.first > 2 * layer.std.last


def _has_sibling(layer: Layer, layers: list[Layer]) -> bool:
    return any(one is not layer and (one.inputs, one.outputs) == (layer.inputs, layer.outputs) for one in layers)


RULE = Rule(
    "latent-collapsed",
    _judge,
    "Bowman et al. 2016, Generating Sentences from a Continuous Space, arXiv:1511.06349, section 3",
    severities=("warning",),
    needs=("code", "layers"),
    fault_in="loss",
    remedies=("weigh-divergence",),
    # Of a latent variable that is in use, the means alone spread by about 1.
    thresholds={"min_steps": Threshold(100, "steps"), "max_spread": Threshold(0.05, "standard-deviations")},
    symptoms=("output-collapsed", "plateau", "losses-unbalanced"),
)
