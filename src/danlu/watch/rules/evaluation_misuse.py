"""evaluation-misuse: what is done to the held-out data makes the score another than theirs."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured

_REMEDIES = {
    "scaled": "training-statistics", "anew": "plain-validation", "uneven": "weigh-batches", "drops": "keep-last",
    "joint": "training-statistics", "places": "count-labelled", "apart": "training-statistics", "kept": "copy-state",
    "turned": "same-preparation", "curved": "score-of-all",
}  # fmt: skip
_MOST_EVALUATIONS = 256  # that are kept
_OFTEN = 0.5  # of the steps


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    # What is asked between all steps is no evaluation: it acts, as a policy does, or makes the next samples.
    acts = measured.weighs_samples or len(measured.evaluations) > _OFTEN * min(measured.step, _MOST_EVALUATIONS)
    for kind in ("kept", "turned", "apart", "scaled", "anew", "drops"):
        found = measured.unfair.get(kind)
        if found is None or (kind == "anew" and (acts or math.isnan(found.share))):
            continue
        if kind == "apart" and (measured.labels.excess > thresholds["max_excess"] or len(measured.optimisers) > 1):
            continue  # the first batches say nothing about the whole, or nets train each other
        numbers = {"share": found.share, "score": found.score, "other": found.other}
        numbers |= {"how": found.how} if found.how else {}
        slight = kind == "drops" and found.share < thresholds["min_dropped_share_warning"]
        severity = "advice" if slight else "warning"
        line = measured.code.get("own") if kind == "scaled" else None
        return Verdict(severity, max(1, found.step), numbers, variant=kind, remedies=(_REMEDIES[kind],), line=line)
    line = measured.code.get("itself")
    if line is not None and measured.evaluations:
        return Verdict("warning", 1, {}, variant="itself", remedies=(_REMEDIES["scaled"],), line=line)
    places = _places(measured, thresholds)
    if places is not None:
        return places
    uneven = [one for one in measured.evaluations if one.smallest and one.smallest < one.samples / one.batches]
    line = measured.code.get("uneven")
    if line is not None and uneven:
        worst = min(uneven, key=lambda one: one.smallest / one.largest)
        # Mostly it hardly matters; where it does not show in the loss, nothing is known of the difference.
        off = abs(worst.plain - worst.loss) > thresholds["min_difference_warning"] * abs(worst.loss)
        severity = "warning" if off else "advice"
        numbers = {"smallest": worst.smallest, "largest": worst.largest}
        return Verdict(
            severity, max(1, worst.step), numbers, variant="uneven", remedies=(_REMEDIES["uneven"],), line=line
        )
    line = measured.code.get("curved")
    if line is not None and max((one.batches for one in measured.evaluations), default=0) > 1:
        return Verdict("advice", 1, {}, variant="curved", remedies=(_REMEDIES["curved"],), line=line)
    line = measured.code.get("joint")
    if line is not None and measured.step:
        # Of samples drawn from one lot the means hardly differ.
        return Verdict("advice", 1, {}, variant="joint", remedies=(_REMEDIES["joint"],), line=line)
    return None


def _places(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """An accuracy over all places of a batch, also over those that have no label."""
    facts, line = measured.labels, measured.code.get("all-places")
    if line is None or not facts.dense or facts.kind != "classes" or not facts.seen or not measured.evaluations:
        return None
    gaps = max((one.gaps for one in measured.interventions.values() if one.gaps >= 0), default=0.0)
    if gaps >= thresholds["min_gaps_share"]:  # what the loss leaves out is a class, and no padding
        return None
    counted = sum(count for label, count in facts.counts.items() if label != facts.ignored)
    share = 1 - (counted + facts.uncounted) / facts.seen
    if share < thresholds["min_places_share"]:
        return None
    numbers = {"share": share}
    step = max(1, measured.evaluations[0].step)
    return Verdict("warning", step, numbers, variant="places", remedies=(_REMEDIES["places"],), line=line)


RULE = Rule(
    "evaluation-misuse",
    _judge,
    "Kaufman et al. 2012, Leakage in Data Mining, doi:10.1145/2382577.2382579; Hastie et al. 2009, section 7.10.2",
    severities=("warning", "advice"),
    needs=("evaluations",),
    fault_in="evaluation",
    variants_in={"drops": "evaluated", "anew": "evaluated", "kept": "reloaded"},
    remedies=tuple(dict.fromkeys(_REMEDIES.values())),
    thresholds={
        "min_dropped_share_warning": Threshold(0.02, "share"),
        "min_difference_warning": Threshold(0.05, "share"),
        "min_places_share": Threshold(0.05, "share"),
        "min_gaps_share": Threshold(0.01, "share"),
        "max_excess": Threshold(4.0, "times"),
    },
)
