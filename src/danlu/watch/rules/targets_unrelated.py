"""targets-unrelated: the targets have nothing to do with what the net is given: noise, or labels of other samples."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.reading import guess_loss, held_out, is_surrogate, step_size


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    line = measured.code.get("noise")
    if line is not None and measured.step:
        return Verdict("error", 1, {}, variant="drawn", remedies=("same-noise",), line=line)
    return _of_noise(measured, thresholds) or _of_samples(measured, thresholds)


def _of_noise(measured: Measured, thresholds: Thresholds) -> Verdict | None:
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


def _of_samples(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """One target a sample: those of samples alike are no more alike than any, and held-out samples are answered no
    better than by guessing, however well the net has learnt those of the training by heart."""
    found, guess = measured.unrelated, guess_loss(measured)
    if not measured.ended or found.pairs < thresholds["min_pairs"] or not guess > 0 or is_surrogate(measured):
        return None
    if not found.relation < thresholds["max_relation"] or measured.loss.count < thresholds["min_steps"]:
        return None
    # A net that hardly moves has not tried; one that has learnt its samples by heart, or takes steps that count, has.
    learnt = measured.loss.end(0.2) < thresholds["min_loss_ratio_by_heart"] * guess
    if not learnt and not step_size(measured, 10) > thresholds["min_update_ratio"]:
        return None
    passes = [one.loss for one in held_out(measured) if math.isfinite(one.loss)]
    known = len(passes) >= 2
    fresh = math.nan if known else _loss_of_new_samples(measured, thresholds)
    by_heart = learnt and fresh > thresholds["min_held_out_ratio"] * guess
    loss = min(passes) if known else fresh if by_heart else measured.loss.end(0.2)
    if loss < thresholds["min_held_out_ratio" if known else "min_loss_ratio_by_heart"] * guess:
        return None
    numbers = {"samples": found.pairs, "loss": loss, "guess": guess, "relation": found.relation}
    variant = "held-out" if known else "by-heart" if by_heart else "samples"
    return Verdict("warning", 1, numbers, variant=variant, remedies=("look-at-labels",))


def _loss_of_new_samples(measured: Measured, thresholds: Thresholds) -> float:
    """The loss of the later half of the first epoch, whose samples the net had not seen before; NaN where it was over
    too soon, or was all there was."""
    epoch, steps = measured.epoch_steps or 0, measured.loss.count
    if epoch < thresholds["min_epoch_steps"] or steps < thresholds["min_epochs"] * epoch or measured.before:
        return math.nan
    part = measured.loss.part(0.5 * epoch / steps, epoch / steps)
    return sum(part) / len(part) if part else math.nan


RULE = Rule(
    "targets-unrelated",
    _judge,
    "Ho et al. 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1",
    severities=("error", "warning"),
    needs=("optimizer",),
    fault_in="loss",
    variants_in={"held-out": "loader", "samples": "loader", "by-heart": "loader"},
    remedies=("same-noise", "look-at-labels"),
    # The noise that is in an input goes with it; at the very least the net has learnt some of it by then.
    thresholds={
        "min_steps": Threshold(100, "steps"),
        "min_numbers": Threshold(1_000, "numbers"),
        "max_errors": Threshold(4.0, "times"),
        "min_loss_ratio": Threshold(0.95, "times"),
        "min_pairs": Threshold(200, "samples"),
        "max_relation": Threshold(2.5, "times"),
        "min_update_ratio": Threshold(1e-3, "share"),
        "min_held_out_ratio": Threshold(0.97, "times"),
        "min_loss_ratio_by_heart": Threshold(0.9, "times"),
        # What is learnt of one sample and holds for the next shows in the first epoch, at steps that count.
        "min_epoch_steps": Threshold(8, "steps"),
        "min_epochs": Threshold(5, "epochs"),
    },
    symptoms=(
        "plateau", "underfitting", "lr-too-low", "too-few-epochs", "output-collapsed", "lr-too-high", "overfitting",
    ),
)  # fmt: skip
