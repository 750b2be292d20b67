"""What a study of remedies has shown, as one object of plain values: what `--json`, terminal, page and report tell."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.records import Finding, finding_of
from danlu.base.retold import retold
from danlu.view.info.study import REMEDY, StudyInfo


def cure_record(info: StudyInfo) -> dict[str, Any]:
    """What `danlu cure --json` prints of a study of remedies, but for the recipe that follows from it."""
    told = info.cure or {}
    findings = cured_findings(info)
    remedies: list[dict[str, Any]] = [dict(one) for one in told.get("remedies", ())]
    return {
        "run": str(told.get("run", "")),
        "watched": True,
        "findings": [finding.as_dict() for finding in findings],
        "remedies": remedies,
        "by_hand": by_hand(findings, remedies),
        "study": info.where,
        "metric": info.metric,
        "seeds": info.seeds,
        "before": level_mean(info, {}),
        "effects": [{**effect, "after": level_mean(info, effect["to"])} for effect in info.effects],
        "looks": info.looks,
        "failed": list(info.failed),
        "recommended": None if info.recommended is None else dict(info.recommended),
        "finished": info.state == "finished",
        "seconds": round(info.seconds, 3),
    }


def cured_findings(info: StudyInfo) -> list[Finding]:
    """The findings whose remedies a study tries, in the language in force."""
    return [retold(finding_of(record)) for record in (info.cure or {}).get("findings", ())]


def level_mean(info: StudyInfo, level: Mapping[str, Any]) -> float | None:
    """The metric at one level, over the members that did not diverge; None where all did."""
    members = [member for member in info.members if member.factors.get(REMEDY) == level and not member.diverged]
    values = [member.score[info.metric] for member in members if info.metric in member.score]
    return statistics.fmean(values) if values else None


def by_hand(findings: Sequence[Finding], remedies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What only code or data can change: the advice of findings for which nothing was tried."""
    tried = {rule for remedy in remedies for rule in remedy["rules"]}
    rows: list[dict[str, Any]] = []
    for finding in findings:
        advice = [str(remedy["advice"]) for remedy in finding.remedies if "advice" in remedy]
        if finding.rule not in tried and finding.evidence.get("cause") not in tried:
            rows.append({"rule": finding.rule, "title": finding.title, "advice": advice})
    return rows
