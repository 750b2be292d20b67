"""scheduler-misuse: the learning rate does not go the way its scheduler was made for."""

import itertools
import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser, Scheduler
from danlu.watch.pass_facts import Evaluation
from danlu.watch.reading import main_optimiser, progress


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    optimiser = main_optimiser(measured)
    if optimiser is None:
        return None
    for scheduler in measured.schedulers:
        found = _of_scheduler(scheduler, optimiser, measured, thresholds)
        if found:
            return found
    low_since = _negligible_since(optimiser, measured, thresholds)
    if low_since is not None and progress(measured) < thresholds["max_progress_share"]:
        numbers = {"rate": optimiser.rate.last, "highest": optimiser.highest_rate, "since": low_since}
        numbers |= {"steps": measured.step}
        if sum(one.calls for one in measured.schedulers) * 4 < measured.step:  # it is called once an epoch, and is fast
            return Verdict(
                "warning", low_since, numbers, variant="fast", remedies=("slower-schedule",), fault_in="scheduler"
            )
        return Verdict("warning", low_since, numbers, variant="fast", remedies=("step-per-epoch",))
    constant = optimiser.rate.values and min(optimiser.rate.values) == max(optimiser.rate.values)
    if measured.net.silent_scheduler and constant and measured.step >= thresholds["min_steps"]:
        return Verdict("warning", 1, {"steps": measured.step}, variant="never", remedies=("call-scheduler",))
    return None


def _of_scheduler(
    scheduler: Scheduler, optimiser: Optimiser, measured: Measured, thresholds: Thresholds
) -> Verdict | None:
    numbers = {"kind": scheduler.kind, "calls": scheduler.calls, "total": scheduler.total or 0, "steps": measured.step}
    if scheduler.before_first_step:
        return Verdict("warning", 1, numbers, variant="before", remedies=("optimizer-first",))
    if scheduler.kind == "CosineAnnealingLR" and scheduler.total and scheduler.calls > 1.5 * scheduler.total + 1:
        return Verdict("warning", scheduler.total, numbers, variant="period", remedies=("step-per-epoch",))
    if measured.ended and not measured.crashed and scheduler.calls * 4 < optimiser.steps:
        rates = optimiser.rate.values
        base, now = scheduler.base, optimiser.rate.last
        rising = len(set(rates)) > 2 and rates == sorted(rates)
        if scheduler.total is None and rising and now < thresholds["max_warm_ratio"] * base:
            return Verdict(
                "warning", 1, numbers | {"rate": now, "base": base}, variant="warming", remedies=("step-per-batch",)
            )
    factors = scheduler.kind in ("LambdaLR", "MultiplicativeLR")
    reached = thresholds["max_factor"] * scheduler.base >= optimiser.highest_rate > 0
    usual = scheduler.base <= thresholds["max_base"] and measured.step >= thresholds["min_factor_steps"]
    if factors and reached and usual:
        numbers |= {"rate": optimiser.highest_rate, "base": scheduler.base}
        return Verdict("warning", 1, numbers, variant="factor", remedies=("return-factor",))
    if measured.ended and not measured.crashed and optimiser.steps >= thresholds["min_warm_steps"]:
        rates, now = optimiser.rate.values, optimiser.rate.last
        far = now < thresholds["max_ramp_ratio"] * scheduler.base and progress(measured) < 0.5
        if scheduler.calls > 1 and far and len(set(rates)) > 2 and rates == sorted(rates):
            numbers |= {"rate": now, "base": scheduler.base}
            return Verdict("warning", 1, numbers, variant="ramp", remedies=("shorter-warm-up",))
    timed = scheduler.kind in ("OneCycleLR", "CosineAnnealingLR", "LinearLR", "PolynomialLR")
    if measured.ended and timed and scheduler.total and not measured.crashed:
        slow = (
            scheduler.calls < thresholds["max_called_share"] * scheduler.total and scheduler.calls * 4 < optimiser.steps
        )
        if slow and optimiser.steps > 0.5 * scheduler.total:
            return Verdict("warning", 1, numbers, variant="slow", remedies=("step-per-batch",))
    if len(scheduler.metric) >= 4:  # that of a ReduceLROnPlateau; no other scheduler is given one
        values = scheduler.metric.values
        up = sum(later >= earlier for earlier, later in itertools.pairwise(values))
        rises = values[-1] > values[0] and up > 0.7 * (len(values) - 1)
        risen = (rises and progress(measured) > 0.2) or _are_accuracies(scheduler, measured)
        if scheduler.mode == "min" and risen and optimiser.rate.last < optimiser.highest_rate:
            return Verdict("warning", scheduler.metric.steps[0], numbers, variant="mode", remedies=("plateau-mode",))
    return None


def _are_accuracies(scheduler: Scheduler, measured: Measured) -> bool:
    """Whether what a ReduceLROnPlateau was given are the accuracies just measured, whether they have risen or not; or,
    where nobody else computed them, shares of the evaluated samples that came to more than at first."""
    passes: dict[int, list[Evaluation]] = {}
    for one in measured.evaluations:
        passes.setdefault(one.step, []).append(one)
    known = [(value, passes[step + 1]) for step, value in scheduler.metric if step + 1 in passes]
    if len(known) < 4:
        return False
    if all(any(abs(value - one.accuracy) < 1e-4 for one in found) for value, found in known):
        return True
    shares = all(any(_is_share(value, one) for one in found) for value, found in known)
    return shares and known[-1][0] > known[0][0]


def _is_share(value: float, one: Evaluation) -> bool:
    parts = value * one.samples
    return math.isnan(one.accuracy) and 0 <= value <= 1 and abs(parts - round(parts)) < 0.01


def _negligible_since(optimiser: Optimiser, measured: Measured, thresholds: Thresholds) -> int | None:
    """The step since which the rate is next to nothing, where that is most of the training."""
    if measured.step < thresholds["min_steps"] or optimiser.highest_rate == 0 or len(optimiser.rate) < 3:
        return None
    low = [rate < thresholds["max_lr_ratio"] * optimiser.highest_rate for rate in optimiser.rate.values]
    if not low[-1] or optimiser.rate.last > thresholds["max_last_lr_ratio"] * optimiser.highest_rate:
        return None
    since = optimiser.rate.since(low)
    return since if since < (1 - thresholds["min_low_share"]) * measured.step else None


RULE = Rule(
    "scheduler-misuse",
    _judge,
    "PyTorch, torch.optim: how to adjust learning rate",
    severities=("warning",),
    needs=("optimizer", "steps"),
    fault_in="scheduler",
    variants_in=dict.fromkeys(("before", "period", "slow", "warming", "fast"), "schedule step"),
    remedies=(
        "step-per-epoch", "slower-schedule", "step-per-batch", "optimizer-first", "call-scheduler", "plateau-mode",
        "return-factor",
        "shorter-warm-up",
    ),
    # A cosine spends 6 % of its length below a hundredth of its peak, three drops by ten a quarter. Two fifths of the
    # training below it, and less than a thousandth at the end, is a schedule that has run out.
    thresholds={
        "min_steps": Threshold(30, "steps", "steps"),
        "max_lr_ratio": Threshold(0.01, "times", "least"),
        "max_last_lr_ratio": Threshold(1e-3, "times", "end"),
        "min_low_share": Threshold(0.4, "share", "share"),
        "max_progress_share": Threshold(0.95, "share", "done"),
        "max_called_share": Threshold(0.25, "share", "reached"),
        "max_warm_ratio": Threshold(0.5, "times"),
        # A factor of a hundredth, of a rate that is one, for a whole training: the rate itself was taken for a factor.
        "max_factor": Threshold(0.01, "times"),
        "max_base": Threshold(0.1, "lr"),
        "min_factor_steps": Threshold(100, "steps"),
        "min_warm_steps": Threshold(100, "steps"),
        "max_ramp_ratio": Threshold(0.1, "times"),
    },
    symptoms=(
        "output-collapsed", "lr-too-low", "plateau", "underfitting", "too-few-epochs", "no-update", "lr-too-high",
    ),
)  # fmt: skip
