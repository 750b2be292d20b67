"""Puts the rules to what was measured, and keeps what they found."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from danlu.base.records import CodeLine, Finding, Snippet
from danlu.base.words import say
from danlu.watch.contract import SEVERITIES, Rule, Verdict, finding_of
from danlu.watch.coverage import facts_asked, has_seen_nothing, reason_of
from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.needs import lacks
from danlu.watch.ranking import ranked
from danlu.watch.story import one_story

_SURE = 100  # steps of a training that goes on, after which what is not found any more is over


class Judge:
    """Asks every rule that is not silenced; `tell` hears of a finding when it is new, or graver than it was.

    `earlier` are the findings of the part of the training that was done before: they are not told again.
    """

    def __init__(
        self,
        rules: Collection[Rule],
        silence: Collection[str],
        thresholds: Mapping[str, Mapping[str, float]],
        guard: Guard,
        tell: Callable[[Finding], None],
        locate: Callable[[Rule, Verdict], tuple[CodeLine, Snippet | None] | None],
        earlier: Collection[Finding] = (),
    ) -> None:
        self._all = {rule.id: rule for rule in rules}
        self._rules = [rule for rule in rules if rule.id not in silence]
        self._thresholds = {rule.id: {**rule.numbers, **thresholds.get(rule.id, {})} for rule in rules}
        self._guard = guard
        self._tell = tell
        self._locate = locate
        self._standing = {finding.rule: finding for finding in earlier if finding.rule not in silence}
        self._earlier = frozenset(finding.rule for finding in earlier)
        self._told = {finding.rule: finding.severity for finding in earlier}

    def __call__(self, measured: Measured) -> None:
        """Judge anew. What a rule no longer finds is taken back."""
        before = self._standing
        self._standing = {}
        for rule in self._rules:
            earlier = before.get(rule.id)
            verdict: Verdict | None = self._guard.within(rule.judge, measured, self._thresholds[rule.id])
            finding: Finding | None = (
                self._guard.within(finding_of, rule, verdict, measured.before) if verdict else None
            )
            if finding is not None and verdict is not None:
                place: tuple[CodeLine, Snippet | None] | None = self._guard.within(self._locate, rule, verdict)
                code, snippet = place or ((earlier.code, earlier.snippet) if earlier else (None, None))
                since = min(finding.since, earlier.since) if earlier else finding.since
                self._standing[rule.id] = replace(finding, since=since, code=code, snippet=snippet)
            elif earlier is not None and self._outlasts(rule, measured):
                self._standing[rule.id] = earlier
        for finding in self.findings:
            told = self._told.get(finding.rule)
            if told is None or SEVERITIES.index(finding.severity) < SEVERITIES.index(told):
                self._told[finding.rule] = finding.severity
                self._tell(finding)

    def _outlasts(self, rule: Rule, measured: Measured) -> bool:
        """Whether a finding of the part that was done before stands, though the rule does not find it anew."""
        if rule.id not in self._earlier or rule.reads == "curve":
            return False
        return rule.reads == "start" or measured.step < _SURE

    def unjudged(self, measured: Measured, blind: Collection[str]) -> dict[str, set[str]]:
        """The rules that found nothing and looked at what is `blind`: facts that could not be measured."""
        quiet = [rule for rule in self._rules if rule.id not in self._standing]
        asked = {rule.id: facts_asked(rule, measured, self._thresholds[rule.id]) & set(blind) for rule in quiet}
        return {rule: facts for rule, facts in asked.items() if facts}

    @property
    def asked(self) -> int:
        """How many rules are asked."""
        return len(self._rules)

    def unseen(self, measured: Measured, blind: Mapping[str, str]) -> dict[str, str]:
        """Why each of the rules that found nothing could not judge, but for those that could."""
        failed = self.unjudged(measured, blind)
        reasons = {rule.id: self._reason(rule, measured, blind, failed.get(rule.id, ())) for rule in self._rules}
        return {rule: reason for rule, reason in reasons.items() if reason and rule not in self._standing}

    def _reason(self, rule: Rule, measured: Measured, blind: Mapping[str, str], failed: Collection[str]) -> str:
        if has_seen_nothing(measured):
            return say("watch.unseen-training")
        if self._guard.fails(rule.judge):
            return say("watch.unseen-rule")
        if failed:
            return say("watch.reason-and").join(sorted({reason_of(fact, blind[fact]) for fact in failed}))
        return lacks(rule, measured, self._thresholds[rule.id])

    @property
    def findings(self) -> list[Finding]:
        """What stands: one story, the cause before its symptoms."""
        return ranked(one_story(self._standing.values()), self._all)
