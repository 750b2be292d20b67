"""ema-too-slow: averaged weights that are evaluated are still close to those of the beginning, or their statistics are
those of the beginning."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    averaged = measured.averaged
    frozen = averaged.frozen if averaged is not None else 0
    # A net that is only asked, as a teacher is, stays as it is; one that a discounted value comes from must follow.
    least = thresholds["min_frozen_steps_renewed" if "renewed" in measured.code else "min_frozen_steps"]
    if "bootstrap" in measured.code and frozen >= least:
        return Verdict("warning", 1, {"steps": frozen}, variant="frozen", remedies=("renew-target",))
    if averaged is not None and averaged.stale >= thresholds["min_stale_calls"]:
        numbers = {"calls": averaged.stale, "steps": averaged.step}
        return Verdict("warning", averaged.stale_since, numbers, variant="statistics", remedies=("average-buffers",))
    if averaged is None or averaged.step < thresholds["min_steps"]:
        return None
    if averaged.away >= thresholds["min_away"]:
        numbers = {"away": averaged.away, "steps": averaged.step}
        return Verdict("warning", averaged.step, numbers, variant="away", remedies=("move-towards",))
    if not averaged.kept >= thresholds["min_kept_share"]:
        return None
    numbers = {"kept": averaged.kept, "steps": averaged.step}
    return Verdict("warning", averaged.step, numbers, remedies=("ema-warmup",))


RULE = Rule(
    "ema-too-slow",
    _judge,
    "Tarvainen and Valpola 2017, Mean teachers are better role models, arXiv:1703.01780, section 3",
    severities=("warning",),
    needs=("optimizer",),
    fault_in="average",
    variants_in={"statistics": "averaged", "frozen": "averaged"},
    remedies=("ema-warmup", "average-buffers", "renew-target", "move-towards"),
    # An average over a tenth of the training lags behind by a tenth of the way or so.
    thresholds={
        "min_steps": Threshold(100, "steps"),
        "min_kept_share": Threshold(0.5, "share"),
        "min_away": Threshold(0.2, "times"),
        "min_frozen_steps": Threshold(100, "steps"),
        "min_frozen_steps_renewed": Threshold(5_000, "steps"),
        "min_stale_calls": Threshold(2, "evaluations"),
    },
    symptoms=("too-few-epochs",),
)
