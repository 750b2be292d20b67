"""What could not be judged, and why: a rule that found nothing without having seen anything says so."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, cast

from danlu.base.rule_names import rule_label
from danlu.base.words import say
from danlu.watch.contract import Rule, Thresholds
from danlu.watch.measured import NO_TENSOR, Measured

# Facts of Measured that share a word, for people.
_WORDS = {
    "epoch_steps": "samples", "samples_seen": "samples", "same_order": "samples", "full_batch": "samples",
    "chance_overlap": "samples",
    "doubled": "samples",
    "noise": "layers", "unread": "inputs", "drawing": "samples", "draws_at_random": "samples", "unfair": "evaluations",
    "averaged": "layers", "drifting": "layers", "carried": "inputs", "unrelated": "labels", "scaled": "optimisers",
    "scaling": "optimisers", "code_read": "code", "copied": "labels",
}  # fmt: skip


_MOST_REASONS = 3


class _Recording:
    """Answers as what was measured does, and notes which of its facts are asked for."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        return getattr(self._measured, name)


def facts_asked(rule: Rule, measured: Measured, thresholds: Thresholds) -> set[str]:
    """The facts of Measured that a rule looks at before it answers."""
    recording = _Recording(measured)
    try:
        rule.judge(cast(Measured, recording), thresholds)
    except Exception:  # noqa: BLE001 - it has been told already; what it asked for is known all the same
        return recording.asked
    return recording.asked


def remarks_on(measured: Measured, blind: Mapping[str, str], unjudged: Mapping[str, Collection[str]]) -> list[str]:
    """Sentences on what was not seen; `blind` says why by fact, `unjudged` which rules asked for it."""
    lines = _on_steps(measured)
    by_reason: dict[tuple[str, ...], list[str]] = {}
    for rule, facts in unjudged.items():
        reasons = tuple(sorted({reason_of(fact, blind[fact]) for fact in facts}))
        by_reason.setdefault(reasons, []).append(rule)
    for reasons, rules in by_reason.items():
        lines.append(
            say(
                "watch.not-judged",
                rules=", ".join(map(rule_label, rules)),
                reasons=say("watch.reason-and").join(reasons),
            )
        )
    return lines


def has_seen_nothing(measured: Measured) -> bool:
    """Whether there was nothing to judge: not one loss went backwards, and no step was made."""
    return measured.step == 0 and measured.backwards == 0


def closing_line(asked: int, unseen: Mapping[str, str]) -> str:
    """How many of the rules that were asked could judge, and why the others could not: the commonest reasons."""
    if not unseen:
        return say("watch.closing-all", rules=asked)
    counted = Counter(unseen.values()).most_common()
    reasons = say("watch.reason-and").join(reason for reason, _ in counted[:_MOST_REASONS])
    more = say("watch.closing-more", count=len(counted) - _MOST_REASONS) if len(counted) > _MOST_REASONS else ""
    return say("watch.closing", rules=asked, judged=asked - len(unseen), left=len(unseen), reasons=reasons + more)


def _on_steps(measured: Measured) -> list[str]:
    if measured.step == 0 and not measured.forwards and not measured.backwards:
        return [say("watch.never-called")]
    if has_seen_nothing(measured):
        return [say("watch.only-forward", forwards=measured.forwards)]
    if not any(one.steps for one in measured.optimisers):
        return [say("watch.without-optimiser", backwards=measured.backwards, steps=measured.step)]
    return []


def reason_of(fact: str, why: str) -> str:
    """Why a fact was not measured, as people read it."""
    word = say(f"watch.fact-{_WORDS.get(fact, fact)}")
    if why == NO_TENSOR:
        return say("watch.no-tensor", fact=word)
    return say("watch.unreadable", fact=word, why=why) if why else say("watch.unmeasured", fact=word)
