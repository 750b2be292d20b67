"""Puts the rules to what was measured, and keeps what they found."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from danlu.base.records import Finding
from danlu.watch.contract import SEVERITIES, Rule, Verdict, finding_of
from danlu.watch.coverage import facts_asked
from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.ranking import ranked


class Judge:
    """Asks every rule that is not silenced; `tell` hears of a finding when it is new, or graver than it was."""

    def __init__(
        self,
        rules: Collection[Rule],
        silence: Collection[str],
        thresholds: Mapping[str, Mapping[str, float]],
        guard: Guard,
        tell: Callable[[Finding], None],
    ) -> None:
        self._all = {rule.id: rule for rule in rules}
        self._rules = [rule for rule in rules if rule.id not in silence]
        self._thresholds = {rule.id: {**rule.thresholds, **thresholds.get(rule.id, {})} for rule in rules}
        self._guard = guard
        self._tell = tell
        self._standing: dict[str, Finding] = {}
        self._told: dict[str, str] = {}

    def __call__(self, measured: Measured) -> None:
        """Judge anew. What a rule no longer finds is taken back."""
        before = self._standing
        self._standing = {}
        for rule in self._rules:
            verdict: Verdict | None = self._guard.within(rule.judge, measured, self._thresholds[rule.id])
            finding: Finding | None = self._guard.within(finding_of, rule, verdict) if verdict else None
            if finding is not None:
                earlier = before.get(rule.id)
                since = min(finding.since, earlier.since) if earlier else finding.since
                self._standing[rule.id] = replace(finding, since=since)
        for finding in self.findings:
            told = self._told.get(finding.rule)
            if told is None or SEVERITIES.index(finding.severity) < SEVERITIES.index(told):
                self._told[finding.rule] = finding.severity
                self._tell(finding)

    def unjudged(self, measured: Measured, blind: Collection[str]) -> dict[str, set[str]]:
        """The rules that found nothing and looked at what is `blind`: facts that could not be measured."""
        quiet = [rule for rule in self._rules if rule.id not in self._standing]
        asked = {rule.id: facts_asked(rule, measured, self._thresholds[rule.id]) & set(blind) for rule in quiet}
        return {rule: facts for rule, facts in asked.items() if facts}

    @property
    def findings(self) -> list[Finding]:
        """What stands, the cause before its symptoms."""
        return ranked(self._standing.values(), self._all)
