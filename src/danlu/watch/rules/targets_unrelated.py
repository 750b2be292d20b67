"""targets-unrelated: the targets are noise that has nothing to do with what the net is given."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    line = measured.code.get("noise")
    if line is not None and measured.step:
        return Verdict("error", 1, {}, variant="drawn", remedies=("same-noise",), line=line)
    found = measured.unrelated
    if measured.step < thresholds["min_steps"] or found.numbers < thresholds["min_numbers"] or not found.std > 0:
        return None
    limit = thresholds["max_errors"] / found.numbers**0.5
    loss, spread = measured.loss.end(0.2), found.std**2
    if abs(found.correlation) > limit or abs(found.mean) > thresholds["max_errors"] * found.std / found.numbers**0.5:
        return None
    if not loss >= thresholds["min_loss_ratio"] * spread:
        return None
    numbers = {"correlation": found.correlation, "loss": loss, "spread": spread}
    return Verdict("error", 1, numbers, remedies=("same-noise",))


RULE = Rule(
    "targets-unrelated",
    _judge,
    "Ho et al. 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1",
    severities=("error",),
    needs=("optimizer",),
    fault_in="loss",
    remedies=("same-noise",),
    # The noise that is in an input goes with it; at the very least the net has learnt some of it by then.
    thresholds={
        "min_steps": Threshold(100, "steps"),
        "min_numbers": Threshold(1_000, "numbers"),
        "max_errors": Threshold(4.0, "times"),
        "min_loss_ratio": Threshold(0.95, "times"),
    },
    symptoms=("plateau", "underfitting", "lr-too-low", "too-few-epochs", "output-collapsed", "lr-too-high"),
)
