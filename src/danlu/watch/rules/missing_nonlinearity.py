"""missing-nonlinearity: layers follow each other with nothing bent between them, and so are one layer."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    net = measured.net
    if net.nonlinear is None or net.depth < 2 or net.recurrent:
        return None
    pairs = [pair for pair in net.linear_pairs if not _is_deliberate(*pair, measured)]
    where = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    if not pairs:
        return None
    numbers = {"pairs": len(pairs), "layers": net.depth, "first": pairs[0][0], "second": pairs[0][1]}
    remedies = ("put-activation",)
    if not net.nonlinear:
        return Verdict("warning", 1, numbers, where, variant="none", remedies=remedies)
    # What one part hands to the next may be what it is there for: a representation.
    between = len(pairs) == 1 and pairs[0][0].rpartition(".")[0] != pairs[0][1].rpartition(".")[0]
    many = not between and len(pairs) >= thresholds["min_gap_share_warning"] * (net.depth - 1)
    return Verdict("warning" if many else "advice", 1, numbers, where, remedies=remedies)


def _is_deliberate(first: str, second: str, measured: Measured) -> bool:
    """A bottleneck of lower rank than one layer could have, or a convolution taken apart into groups and points."""
    one, two = measured.layers[first], measured.layers[second]
    return one.outputs < min(one.channels, two.outputs) or one.grouped or two.grouped


RULE = Rule(
    "missing-nonlinearity",
    _judge,
    "Goodfellow et al. 2016, Deep Learning, section 6.1",
    severities=("warning", "advice"),
    needs=("graph",),
    fault_in="module",
    remedies=("put-activation",),
    # One gap among many may be meant; from a third of them on it is a habit.
    thresholds={
        "min_gap_share_warning": Threshold(0.34, "share", "share"),
    },
    symptoms=("underfitting", "plateau", "too-few-epochs"),
)
