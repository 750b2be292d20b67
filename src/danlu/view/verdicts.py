"""What a comparison shows, in words: the same on the terminal, in the report and on the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.metric_names import metric_name
from danlu.base.words import say
from danlu.stats.members import MOST_MORE


def effect_text(effect: Mapping[str, Any]) -> str:
    """One effect of `danlu compare --json`: the mean with the interval that decides, and the verdict."""
    facts = {
        "metric": metric_name(effect["metric"]),
        "pairs": effect["pairs"],
        "verdict": verdict_text(effect),
    }
    numbers = {name: f"{effect[name]:+.4f}" for name in ("mean", "low", "high") if effect[name] is not None}
    if len(numbers) == 3:
        return say("study.effect-interval", **facts, **numbers)
    return say("study.effect-mean", **facts, **numbers) if "mean" in numbers else say("study.effect-none", **facts)


def verdict_text(effect: Mapping[str, Any]) -> str:
    """The verdict of an effect, with what is known of divergence.

    >>> verdict_text({"verdict": "undecided", "reason": "", "more": 3, "diverged": [0, 0]})
    'undecided: about 3 more seeds needed'
    """
    text = _answer(effect)
    before, after = effect["diverged"]
    if not before and not after:
        return text
    proved = effect["divergence"]["verdict"]
    facts = {"before": before, "after": after, "p": f"{effect['divergence']['p']:.2g}"}
    counts = say(f"study.diverged-{proved if proved in ('more', 'fewer') else 'undecided'}", **facts)
    if effect["left_out"] and effect["pairs"]:
        counts = say("study.left-out", counts=counts, pairs=effect["left_out"])
    return say("study.and-diverged", verdict=text, counts=counts)


def looks_text(looks: Sequence[int] | None) -> str:
    """What looking again has cost; nothing where there was one look."""
    if not looks or len(set(looks)) < 2:
        return ""
    return say("study.looks", count=len(set(looks)), seeds=", ".join(map(str, dict.fromkeys(looks))))


def _answer(effect: Mapping[str, Any]) -> str:
    verdict = effect["verdict"]
    if verdict == "no difference":
        return say("study.no-difference", margin=f"{effect['margin']:.3g}")
    if verdict == "better":
        return say("study.better" if effect["score_verdict"] == "better" else "study.better-by-divergence")
    if verdict == "worse":
        return say("study.worse" if effect["score_verdict"] == "worse" else "study.worse-by-divergence")
    reason, more = effect["reason"], effect["more"]
    if reason in ("flat", "small", "unfinished"):
        return say(f"study.undecided-{reason}", most=MOST_MORE)
    if reason == "mixed":
        return say(f"study.mixed-{effect['score_verdict']}")
    if not more:
        return say("study.undecided")
    return say("study.undecided-pairs" if reason == "pairs" else "study.undecided-more", more=more)
