"""From evidence to a word: what a claim comes to, by rules that stood before anything was trained."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from danlu.claims.evidence import ClaimComparison, ClaimEvidence

Word = Literal[
    "holds", "holds only when", "does not hold", "the opposite holds", "undecided", "exact", "not exact", "not tested"
]


@dataclass(frozen=True)
class ClaimVerdict:
    """The `word`, and what it needs: the places `where` the claim holds, those where it is `open`, and those where it
    holds in some and the `opposite` in these; about how many `more` seeds would decide; of an identity the largest
    difference; or which control failed.
    """

    word: Word
    where: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    more: int | None = None
    difference: float | None = None
    failed: tuple[str, ...] = ()
    opposite: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "word": self.word,
            "where": list(self.where),
            "open": list(self.open),
            "more": self.more,
            "difference": self.difference,
            "failed": list(self.failed),
            "opposite": list(self.opposite),
        }


def judge(evidence: ClaimEvidence) -> ClaimVerdict:
    """What the evidence comes to. A control that failed says that this test could not have told; checks that are not
    within their tolerance end an identity; comparisons are one family."""
    failed = tuple(dict.fromkeys(control.kind for control in evidence.controls if not control.passed))
    if failed:
        return ClaimVerdict("not tested", failed=failed)
    if evidence.checks:
        difference = max((check.difference for check in evidence.checks), key=lambda value: (math.isnan(value), value))
        if not all(check.passed for check in evidence.checks):
            return ClaimVerdict("not exact", difference=difference)
        if not evidence.comparisons:
            return ClaimVerdict("exact", difference=difference)
    return judge_comparisons(evidence.comparisons)


def judge_comparisons(comparisons: Sequence[ClaimComparison]) -> ClaimVerdict:
    """Where all comparisons come out as claimed the claim holds; where some do, it holds there. Where none does: it
    does not hold once all are decided, the opposite where all that are decided say so, else it is undecided.
    """
    places = {told: [one for one in comparisons if one.told == told] for told in ("as claimed", "opposite")}
    as_claimed, opposite = places["as claimed"], places["opposite"]
    pairs = {(one.before, one.after) for one in comparisons}

    def place_of(comparison: ClaimComparison) -> str:
        """In the plan's own words: the condition, and the levels where there is more than one pair of them."""
        levels = f"{comparison.after} / {comparison.before}"
        if not comparison.condition:
            return levels
        return comparison.condition if len(pairs) == 1 else f"{comparison.condition}: {levels}"

    open_ones = [one for one in comparisons if one.told == "undecided"]
    at_open = tuple(place_of(one) for one in open_ones)
    counts = [one.effect.more for one in open_ones if one.effect.more]
    more = max(counts) if counts and len(counts) == len(open_ones) else None
    if as_claimed:
        where = tuple(place_of(one) for one in as_claimed)
        if len(as_claimed) == len(comparisons):
            return ClaimVerdict("holds")
        against = tuple(place_of(one) for one in opposite)
        return ClaimVerdict("holds only when", where, at_open, more, opposite=against)
    if open_ones and not opposite:
        return ClaimVerdict("undecided", open=at_open, more=more)
    if opposite and len(opposite) + len(open_ones) == len(comparisons):
        return ClaimVerdict("the opposite holds", tuple(place_of(one) for one in opposite), at_open, more)
    return ClaimVerdict("does not hold", open=at_open, more=more)
