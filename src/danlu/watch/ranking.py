"""The order in which findings are told: the cause before its symptoms, the grave before the slight."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from danlu.base.records import Finding
from danlu.watch.confidence import confidence_of
from danlu.watch.contract import SEVERITIES, Rule

# Where nothing explains anything, what is a plain mistake in the code or the data comes before what a training shows,
# and that before its outcome: the outcome has causes, of which one may stand among the others. Advice comes last.
_OUTCOME = "outcome"


def ranked(findings: Iterable[Finding], rules: Mapping[str, Rule]) -> list[Finding]:
    """Causes first; each symptom carries its cause in its evidence, and each cause the list of its symptoms."""
    findings = list(findings)
    found = {finding.rule for finding in findings}
    since = {finding.rule: finding.since for finding in findings}
    causes = {finding.rule: _cause(finding.rule, since, rules) for finding in findings}
    symptoms = {rule: sorted(one for one in found if causes[one] == rule) for rule in found}
    told = [
        replace(
            finding,
            evidence={
                **finding.evidence,
                **({"cause": causes[finding.rule]} if causes[finding.rule] else {}),
                **({"symptoms": symptoms[finding.rule]} if symptoms[finding.rule] else {}),
            },
            confidence=confidence_of(finding, causes[finding.rule]),
        )
        for finding in findings
    ]
    return sorted(told, key=lambda finding: _rank(finding, causes, rules))


def _cause(rule: str, since: Mapping[str, int], rules: Mapping[str, Rule]) -> str:
    """The root of what explains a rule; empty where nothing found does."""
    root, seen = rule, {rule}
    while True:
        cause = next((one for one in sorted(since.keys() - seen) if _explains(one, root, since, rules)), None)
        if cause is None:
            return "" if root == rule else root
        seen.add(cause)
        root = cause


def _explains(one: str, other: str, since: Mapping[str, int], rules: Mapping[str, Rule]) -> bool:
    """Whether one finding is a cause of another; of two that may cause each other, the earlier one is."""
    if other not in _symptoms(one, rules):
        return False
    return one not in _symptoms(other, rules) or (since[one], one) < (since[other], other)


def _symptoms(rule: str, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    return rules[rule].symptoms if rule in rules else ()


def _rank(finding: Finding, causes: Mapping[str, str], rules: Mapping[str, Rule]) -> tuple[bool, bool, bool, int, int]:
    severity = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
    slight = finding.severity == "advice"
    outcome = finding.rule in rules and rules[finding.rule].fault_in == _OUTCOME
    return bool(causes[finding.rule]), slight, outcome, severity, finding.since
