"""Records: what is kept of a run and shown of it, as plain frozen values that need no model to be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Score = dict[str, float]
"""Numbers by name, for one part of the data: always "loss", then the task's metrics ("accuracy", "r2" …)."""


SEVERITIES = ("error", "warning", "advice")
"""It cannot learn; it learns worse than it could; worth knowing."""


@dataclass(frozen=True)
class Finding:
    """What watch found: rule, severity ("error", "warning", "advice"), layers, since which step, numbers, remedies."""

    rule: str
    severity: str
    where: tuple[str, ...]
    since: int
    evidence: Mapping[str, Any]
    title: str
    why: str
    remedies: tuple[Mapping[str, Any], ...] = field(default=())


def finding_of(record: Mapping[str, Any]) -> Finding:
    """The finding that was kept as plain values.

    >>> finding_of({"rule": "plateau", "severity": "advice", "where": [], "since": 9, "evidence": {}, "title": "",
    ...             "why": "", "remedies": [{"advice": "train longer"}]}).remedies
    ({'advice': 'train longer'},)
    """
    severity = str(record["severity"])
    return Finding(
        rule=str(record["rule"]),
        severity=severity if severity in SEVERITIES else "advice",
        where=tuple(str(layer) for layer in record["where"]),
        since=int(record["since"]),
        evidence=dict(record["evidence"]),
        title=str(record["title"]),
        why=str(record["why"]),
        remedies=tuple(dict(remedy) for remedy in record["remedies"]),
    )
