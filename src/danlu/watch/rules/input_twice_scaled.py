"""input-twice-scaled: pixels were divided by 255 twice, or normalised twice."""

import math

from danlu.watch.contract import Rule, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.inputs
    std, mean = facts.std.median(), facts.mean.median()
    low, high = facts.low.median(), facts.high.median()
    if not facts.floating or len(facts.shape) < 2 or not math.isfinite(std) or std <= 1e-7:
        return None
    images = len(facts.shape) >= 3 or facts.shape[1] >= thresholds["numbers"]
    if not images:
        return None
    numbers = {"low": low, "high": high, "mean": mean, "std": std}
    flat = high - low < thresholds["range"]
    # Divided twice the pixels lie in [0, 0.004]; normalised after that they crowd around one value far from 0.
    if flat and ((low >= 0 and high < thresholds["high"]) or abs(mean) > 5 * std):
        return Verdict("warning", 1, numbers, remedies=("scale-once",))
    pictures = len(facts.shape) == 4 and facts.shape[1] in (1, 3)
    if pictures and low < 0 and thresholds["spread"] < std < 20 and abs(mean) < std:
        return Verdict("advice", 1, numbers, variant="normalised", remedies=("scale-once",))
    return None


RULE = Rule(
    "input-twice-scaled",
    _judge,
    "torchvision's ToTensor divides by 255 already; so do many loaders of arrays",
    # 1/255 is 0.004, and 0.1 is still narrower than the darkest photograph; normalised pixels spread by about 1.
    thresholds={"numbers": 48, "range": 0.1, "high": 0.02, "spread": 2.5},
    symptoms=(
        "lr-too-low", "plateau", "underfitting", "too-few-epochs", "vanishing-gradient", "input-scale", "bad-init",
        "initial-loss", "dead-relu",
    ),
)  # fmt: skip
