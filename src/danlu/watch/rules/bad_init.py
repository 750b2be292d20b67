"""bad-init: the initial weights let signals fade or swell from layer to layer, or make all units the same."""

import math
import re
import statistics
from collections import defaultdict

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.reading import moving_layers

_NUMBER = re.compile(r"\d+")


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.before:
        return None
    layers = [layer for layer in moving_layers(measured) if "Norm" not in layer.kind and layer.kind != "Embedding"]
    hidden = layers[:-1]
    alike = [layer for layer in hidden if _stays_alike(layer)]
    if alike:
        numbers = {"layer": alike[0].name, "units": alike[0].outputs}
        where = tuple(layer.name for layer in alike)
        return Verdict("error", 1, numbers, where, variant="alike", remedies=("default-init",))
    forgets = next((one for one in layers if one.forget < thresholds["max_kept_share"]), None)
    if forgets is not None:
        numbers = {"layer": forgets.name, "share": forgets.forget}
        return Verdict("warning", 1, numbers, (forgets.name,), variant="forgets", remedies=("forget-bias",))
    spread = [(layer, layer.std.first) for layer in hidden if _is_spread_known(layer)]
    size = math.hypot(measured.inputs.mean.first, measured.inputs.std.first)
    size = size if math.isfinite(size) and measured.inputs.floating else 1.0
    if not spread:
        return _too_large([(layer, layer.std.first) for layer in hidden if _is_of_their_own(layer)], size, thresholds)
    gains = [layer.weight.first / math.sqrt(layer.outputs) for layer, _ in spread]
    if _fade(gains, layers, thresholds):
        numbers = {"layers": len(gains), "gain": statistics.geometric_mean(gains), "product": math.prod(gains)}
        where = tuple(layer.name for layer, _ in spread)
        return Verdict("warning", 1, numbers, where, variant="faint", remedies=("he-init",))
    layer, last = spread[-1]
    numbers = {"layer": layer.name, "spread": last, "input": size, "layers": len(spread)}
    if last < thresholds["max_output_std_ratio"] * min(1.0, max(size, 1e-3)):
        return Verdict("warning", 1, numbers, (layer.name,), variant="small", remedies=("he-init",))
    begin, first = spread[0]
    if (
        begin is _first_called(measured)
        and size > thresholds["min_input_rms"]
        and first > thresholds["min_first_layer_gain"] * size
    ):
        numbers |= {"layer": begin.name, "spread": first}
        return Verdict("warning", 1, numbers, (begin.name,), variant="large", remedies=("he-init",))
    return _too_large(spread, size, thresholds)


def _too_large(spread: list[tuple[Layer, float]], size: float, thresholds: Thresholds) -> Verdict | None:
    layer, most = max(spread, key=lambda entry: entry[1], default=(None, 0.0))
    if layer is None or not most > thresholds["min_output_std_ratio"] * max(1.0, size):
        return None
    numbers = {"layer": layer.name, "spread": most, "input": size, "layers": len(spread)}
    return Verdict("warning", 1, numbers, (layer.name,), variant="large", remedies=("he-init",))


def _stays_alike(layer: Layer) -> bool:
    """Rows equal at first, and nearly so after three steps: one that begins at 0 on purpose has left that by then."""
    early = [value for step, value in layer.apart if step <= 3]
    return layer.outputs > 1 and len(early) >= 3 and max(early) < 0.05


def _fade(gains: list[float], layers: list[Layer], thresholds: Thresholds) -> bool:
    """Weights so small that signals fade, and gradients with them, even where biases keep the outputs apart."""
    if len(gains) < 2 or not 0 < statistics.geometric_mean(gains) < thresholds["max_layer_gain"]:
        return False
    faint = layers[0].gradient.first < 0.01 * layers[-1].gradient.first and math.prod(gains) < 1e-3
    return faint and _shrinks_with_depth(layers)


def _shrinks_with_depth(layers: list[Layer]) -> bool:
    """Whether of the layers that come several times, as those of blocks do, the first gets less gradient than the last:
    keys and queries get little in every block, and what goes around the blocks does not fade. True where none does."""
    alike: defaultdict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        alike[_NUMBER.sub("#", layer.name)].append(layer)
    repeated = [group for group in alike.values() if len(group) > 1]
    shrinking = (group[0].gradient.first < 0.1 * group[-1].gradient.first for group in repeated)
    return not repeated or any(shrinking)


def _first_called(measured: Measured) -> Layer | None:
    return next((layer for layer in measured.layers.values() if layer.called), None)


def _is_spread_known(layer: Layer) -> bool:
    return _is_seen_at_first(layer) and (layer.kind.startswith("Conv") or layer.kind in ("Linear", "RNN"))


def _is_seen_at_first(layer: Layer) -> bool:
    at_first = bool(layer.std.steps) and layer.std.steps[0] == 1 and not math.isnan(layer.std.first)
    # Of two or three filters one that happens to be small is all there is.
    return at_first and layer.outputs >= 4 and layer.weight.first > 0


def _is_of_their_own(layer: Layer) -> bool:
    """A layer of a class of the user's: what it gives may be meant to be small, but hardly so large."""
    return _is_seen_at_first(layer) and layer.by_hand and not layer.bare


RULE = Rule(
    "bad-init",
    _judge,
    "Glorot and Bengio 2010; He et al. 2015, Delving Deep into Rectifiers, arXiv:1502.01852",
    severities=("error", "warning"),
    needs=("layers",),
    fault_in="initialisation",
    remedies=("default-init", "he-init", "forget-bias"),
    # Good initialisations keep the spread of a layer's output between about 0.05 and 5 for inputs of size 1. One layer
    # alone, at the net's beginning, multiplies by √n times the spread of its weights: 0.6 as torch draws them, 1.4 as
    # He et al. do, 5 never, and layer upon layer below 0.2
    # neither. Inputs below 0.05 drown in the bias. As torch draws them an LSTM's biases keep half of its state a step.
    thresholds={
        "max_output_std_ratio": Threshold(0.005, "times", "small"),
        "min_output_std_ratio": Threshold(20.0, "times", "large"),
        "min_first_layer_gain": Threshold(5.0, "times", "gain"),
        "min_input_rms": Threshold(0.05, "number", "faint"),
        "max_layer_gain": Threshold(0.2, "times", "tiny"),
        "max_kept_share": Threshold(0.1, "share"),
    },
    reads="start",
    symptoms=(
        "output-collapsed", "initial-loss", "vanishing-gradient", "exploding-gradient", "saturated", "dead-relu",
        "nonfinite", "plateau", "underfitting", "lr-too-low", "lr-too-high", "too-few-epochs", "clip-too-tight",
        "no-update",
    ),
)  # fmt: skip
