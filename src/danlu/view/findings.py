"""Findings in the terminal: each with the command that proves its remedies, where a recipe can take one."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from danlu.base.finding_text import finding_lines
from danlu.base.records import Finding
from danlu.base.words import say

_STYLES = {"error": "bold red", "warning": "bold yellow", "advice": "bold"}


def print_findings(console: Console, findings: Iterable[Finding], run: str | Path) -> None:
    """Print findings, the severe ones in colour; `run` is the folder that `danlu cure` is to be given."""
    for finding in findings:
        mends = any("change" in remedy for remedy in finding.remedies)
        head, *rest = finding_lines(finding, say("view.prove", run=run) if mends else "")
        console.print(head, style=_STYLES.get(finding.severity, ""), markup=False, soft_wrap=True)
        for line in rest:
            console.print(line, markup=False, soft_wrap=True)
