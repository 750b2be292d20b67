"""Records: what is kept of a run and shown of it, as plain frozen values that need no model to be read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from danlu.base.places import shown
from danlu.base.words import say

Score = dict[str, float]
"""Numbers by name, for one part of the data: always "loss", then the task's metrics ("accuracy", "r2" …)."""


def held_out_is_finite(score: Mapping[str, Score]) -> bool:
    """Whether the losses on the parts that were not trained on are numbers.

    >>> held_out_is_finite({"train": {"loss": 0.1}, "test": {"loss": math.inf}})
    False
    """
    losses = [score[part]["loss"] for part in ("validation", "test") if "loss" in score.get(part, {})]
    return all(map(math.isfinite, losses))


SEVERITIES = ("error", "warning", "advice")
"""It cannot learn; it learns worse than it could; worth knowing."""


SURELY, PROBABLY = "surely", "probably"
"""How sure a finding is: of those told with the first word at least 98 % are right, of the others 85 %."""


@dataclass(frozen=True)
class CodeLine:
    """A line of somebody's code: `line` counts from 1; `file` is a path, "In[3]" for a notebook's third cell ("In[]"
    where its number is not known), or "<string>" and the like for code that stands in no file.

    >>> str(CodeLine("elsewhere/train.py", 48)), str(CodeLine("In[3]", 5))
    ('elsewhere/train.py:48', 'cell 3, line 5')
    """

    file: str
    line: int

    def __str__(self) -> str:
        if self.file.startswith("In["):
            return say("base.line-of-cell", cell=self.file[3:-1] or "?", line=self.line)
        path = shown(self.file)
        return f"{path.name if path.is_absolute() else path.as_posix()}:{self.line}"


@dataclass(frozen=True)
class Snippet:
    """A statement of somebody's code as it stands, and as a remedy would have it."""

    before: str
    after: str


@dataclass(frozen=True)
class Finding:
    """What watch found: rule, severity ("error", "warning", "advice"), layers, since which step, numbers, remedies.

    `code` is the line of the user's own loop where the fault lies, if it lies in one; `line` is that as text.

    >>> Finding("plateau", "advice", (), 9, {}, "", "", code=CodeLine("train.py", 48)).line
    'train.py:48'
    """

    rule: str
    severity: str
    where: tuple[str, ...]
    since: int
    evidence: Mapping[str, Any]
    title: str
    why: str
    remedies: tuple[Mapping[str, Any], ...] = field(default=())
    code: CodeLine | None = field(default=None, metadata={"sparse": True})  # danlu's own runs have none
    confidence: str = field(default="", metadata={"sparse": True})  # SURELY, PROBABLY; "" for advice and symptoms
    snippet: Snippet | None = field(default=None, metadata={"sparse": True})  # of the first remedy that changes `code`

    @property
    def line(self) -> str | None:
        """File and line as people write them; None where no line is known."""
        return None if self.code is None else str(self.code)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; "line" is {"file": …, "line": …}, or None.

        >>> Finding("plateau", "advice", (), 9, {}, "", "").as_dict()["line"] is None
        True
        """
        plain = {name: value for name, value in vars(self).items() if name not in ("code", "snippet")}
        line, snippet = vars(self.code) if self.code else None, vars(self.snippet) if self.snippet else None
        lists = {"where": list(self.where), "remedies": [dict(remedy) for remedy in self.remedies]}
        return {**plain, **lists, "confidence": self.confidence or None, "line": line, "snippet": snippet}


def finding_of(record: Mapping[str, Any]) -> Finding:
    """The finding that was kept as plain values.

    >>> finding_of({"rule": "plateau", "severity": "advice", "where": [], "since": 9, "evidence": {}, "title": "",
    ...             "why": "", "remedies": [{"advice": "train longer"}]}).remedies
    ({'advice': 'train longer'},)
    """
    severity = str(record["severity"])
    line = record.get("line")
    return Finding(
        rule=str(record["rule"]),
        severity=severity if severity in SEVERITIES else "advice",
        where=tuple(str(layer) for layer in record["where"]),
        since=int(record["since"]),
        evidence=dict(record["evidence"]),
        title=str(record["title"]),
        why=str(record["why"]),
        remedies=tuple(dict(remedy) for remedy in record["remedies"]),
        code=CodeLine(str(line["file"]), int(line["line"])) if line else None,
        snippet=Snippet(str(snippet["before"]), str(snippet["after"])) if (snippet := record.get("snippet")) else None,
        confidence=confidence if (confidence := record.get("confidence")) in (SURELY, PROBABLY) else "",
    )
