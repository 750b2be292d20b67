"""A check in words: one line for each thing that was looked at, then the findings."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from danlu.base.finding_text import SIGNS, finding_lines
from danlu.base.records import Finding
from danlu.base.words import say

_SIGNS = {**SIGNS, "ok": "✔", "open": "?"}


def check_lines(check: Mapping[str, Any], findings: Sequence[Finding]) -> list[str]:
    """The lines of one check."""
    lines = [say("check.opening", net=check["net"], data=check["data"])]
    names = {line["check"]: say(f"check.name-{line['check']}") for line in check["checks"]}
    width = max(map(cell_len, names.values()))
    for line in check["checks"]:
        name = names[line["check"]]
        expected = say("check.expected", expected=line["expected"]) if line["expected"] else ""
        sign = _SIGNS[line["status"]]
        lines.append(f"{sign} {name}{' ' * (width - cell_len(name))}  {line['found']}{expected}")
    for finding in findings:
        lines += ["", *finding_lines(finding)]
    lines += ["", _closing(check, len(findings))]
    return lines


def _closing(check: Mapping[str, Any], found: int) -> str:
    seconds = f"{check['seconds']:.1f}"
    if not check["passed"]:
        return say("check.failed", seconds=seconds)
    return say("check.passed-but", seconds=seconds, count=found) if found else say("check.passed", seconds=seconds)
