"""The rules of watch in the terminal, from the records that `danlu rules --json` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from danlu.base.words import say

_STYLES = {"error": "bold red", "warning": "bold yellow", "advice": "bold"}
_GREY = "bright_black"


def print_rule_list(console: Console, rules: Sequence[Mapping[str, Any]]) -> None:
    """One line a rule: its name, the gravest severity it may have, and what it sees."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("rule", "severity", "sees"):
        table.add_column(say(f"view.rule-{heading}"), overflow="fold")
    for rule in rules:
        gravest = rule["severities"][0]
        table.add_row(_label(rule), Text(say(f"page.severity-{gravest}"), _STYLES[gravest]), Text(rule["sees"]))
    console.print(table)
    console.print(say("view.rules-hint"), markup=False, soft_wrap=True)


def print_rule(console: Console, rule: Mapping[str, Any]) -> None:
    """One rule: what it sees, its thresholds with their units, remedies and source."""
    head = _label(rule, "bold")
    severities = say("base.finding-comma").join(say(f"page.severity-{severity}") for severity in rule["severities"])
    console.print(head.append(f"   {severities}", style="not bold"), soft_wrap=True)
    console.print(rule["sees"], markup=False, soft_wrap=True)
    if rule["thresholds"]:
        console.print(f"\n{say('view.rule-thresholds')}", markup=False)
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for _ in range(4):
            table.add_column(overflow="fold")
        for one in rule["thresholds"]:
            table.add_row(Text(f"  {one['name']}"), Text(f"{one['value']:g}"), Text(one["unit"]), Text(one["meaning"]))
        console.print(table)
        first = rule["thresholds"][0]
        console.print(
            say("view.rule-how-to-set", rule=rule["rule"], name=first["name"], value=f"{first['value']:g}"),
            style=_GREY, markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"\n{say('view.rule-remedies')}", markup=False)
    for remedy in rule["remedies"]:
        console.print(f"  {remedy['text']}", markup=False, soft_wrap=True)
    console.print(f"\n{say('view.rule-source', source=rule['source'])}", markup=False, soft_wrap=True)


def _label(rule: Mapping[str, Any], style: str = "") -> Text:
    """The name, and behind it in grey the id, where the two differ."""
    text = Text(rule["name"], style=style)
    return text if rule["name"] == rule["rule"] else text.append(f" {rule['rule']}", style=f"not bold {_GREY}")
