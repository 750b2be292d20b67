"""input-twice-scaled: pixels were divided by 255 twice, or normalised twice."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.inputs
    std, mean = facts.std.median(), facts.mean.median()
    low, high = facts.low.median(), facts.high.median()
    if not facts.floating or len(facts.shape) < 2 or not math.isfinite(std) or std <= 1e-7:
        return None
    images = len(facts.shape) >= 3 or facts.shape[1] >= thresholds["min_features"]
    if not images:
        return None
    numbers = {"low": low, "high": high, "mean": mean, "std": std}
    flat = high - low < thresholds["max_range"]
    # Divided twice the pixels lie in [0, 0.004]; normalised after that they crowd around one value far from 0.
    if flat and ((low >= 0 and high < thresholds["max_pixel"]) or abs(mean) > 5 * std):
        return Verdict("warning", 1, numbers, remedies=("scale-once",))
    pictures = len(facts.shape) == 4 and facts.shape[1] in (1, 3)
    if pictures and low < 0 and thresholds["min_std"] < std < 20 and abs(mean) < std:
        return Verdict("advice", 1, numbers, variant="normalised", remedies=("scale-once",))
    return None


RULE = Rule(
    "input-twice-scaled",
    _judge,
    "torchvision, transforms.ToTensor",
    severities=("warning", "advice"),
    needs=("inputs",),
    fault_in="loader",
    remedies=("scale-once",),
    # 1/255 is 0.004, and 0.1 is still narrower than the darkest photograph; normalised pixels spread by about 1.
    thresholds={
        "min_features": Threshold(48, "numbers", "numbers"),
        "max_range": Threshold(0.1, "number", "range"),
        "max_pixel": Threshold(0.02, "number", "high"),
        "min_std": Threshold(2.5, "number", "spread"),
    },
    symptoms=(
        "output-collapsed", "lr-too-low", "plateau", "underfitting", "too-few-epochs", "vanishing-gradient",
        "input-scale", "bad-init", "initial-loss", "dead-relu",
    ),
)  # fmt: skip
