"""Check: what was looked at before a training, what was found and what was expected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.errors import Fault
from danlu.base.readable import Readable
from danlu.base.records import Finding
from danlu.view.check import check_lines

ORDER = ("error", "warning", "advice", "ok", "open")


@dataclass(frozen=True)
class CheckLine:
    """One thing that was looked at.

    `status` is "ok", the severity of the gravest finding ("error", "warning", "advice"), or "open" where the time did
    not suffice to tell. `numbers` are what was found, for a program to read.
    """

    check: str
    status: str
    found: Fault
    expected: Fault | None = None
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_dict(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "status": self.status,
            "found": str(self.found),
            "expected": "" if self.expected is None else str(self.expected),
            "numbers": self.numbers,
        }


@dataclass(frozen=True, repr=False)
class Check(Readable):
    """What `danlu.check` found: a line for each thing it looked at, and the findings, the cause before its symptoms."""

    net: str
    data: str
    lines: Sequence[CheckLine]
    findings: Sequence[Finding]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing was found that keeps the net from learning."""
        return all(line.status != "error" for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "net": self.net,
            "data": self.data,
            "passed": self.passed,
            "checks": [line.as_dict() for line in self.lines],
            "findings": [finding.as_dict() for finding in self.findings],
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return "\n".join(check_lines(self.as_dict(), self.findings))


def gravest(findings: Sequence[Finding]) -> str:
    """The severity of the gravest of them; "ok" where there are none."""
    return min((finding.severity for finding in findings), key=ORDER.index, default="ok")
