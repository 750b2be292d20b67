"""Findings in the terminal: each with the command that proves its remedies, where a recipe can take one."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from danlu.base.finding_text import finding_lines
from danlu.base.records import Finding
from danlu.base.rule_names import rule_name
from danlu.base.words import say

_STYLES = {"error": "bold red", "warning": "bold yellow", "advice": "bold"}


def print_findings(console: Console, findings: Iterable[Finding], run: str | Path) -> None:
    """Print findings, the severe ones in colour; `run` is the folder that `danlu cure` is to be given."""
    for finding in findings:
        mends = any("change" in remedy for remedy in finding.remedies)
        head, *rest = finding_lines(finding, say("view.prove", run=run) if mends else "")
        console.print(_head(head, finding), soft_wrap=True)
        for line in rest:
            console.print(line, markup=False, soft_wrap=True)


def _head(line: str, finding: Finding) -> Text:
    """The first line of a finding in the colour of its severity; the id behind a name in grey."""
    text = Text(line, style=_STYLES.get(finding.severity, ""))
    at = line.find(f" {finding.rule}")
    if at > 0 and rule_name(finding.rule) != finding.rule:
        text.stylize("not bold bright_black", at, at + len(finding.rule) + 1)
    return text
