"""A finding as people read it: what, where and since when, the numbers, why, what to do. Some five lines."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from danlu.base.printable import printable
from danlu.base.records import Finding
from danlu.base.rule_names import rule_label
from danlu.base.words import say

SIGNS = {"error": "✖", "warning": "▲", "advice": "·"}
COLORS = {"error": "#D55E00", "warning": "#B07A00", "advice": "#767676"}
_MOST_PLACES = 3


class Findings(list[Finding]):
    """Findings that show themselves: printed as text, in a notebook as cards.

    `remarks` are sentences on what could not be judged, `closing` says how many rules were; with `judged` False nothing
    was, and then finding nothing says nothing.

    >>> print(Findings())
    no problems found
    >>> print(Findings(remarks=["not one step was seen"], judged=False))
    not one step was seen
    """

    def __init__(
        self, findings: Iterable[Finding] = (), *, remarks: Sequence[str] = (), judged: bool = True, closing: str = ""
    ) -> None:
        super().__init__(findings)
        self.remarks = list(remarks)
        self.closing = closing
        self.judged = judged

    def __str__(self) -> str:
        return "\n".join(["\n".join(finding_lines(finding)) for finding in self] + self.words())

    def _repr_html_(self) -> str:
        """What a notebook shows. Its colours are those of a severity, and all else the notebook's own."""
        return "".join([*map(_card, self), *(f"<p>{html.escape(words)}</p>" for words in self.words())])

    def words(self) -> list[str]:
        """What is said beside the findings: that there is none, what was not judged, how many rules were."""
        nothing = [] if self or not self.judged else [say("base.no-findings")]
        return [*nothing, *self.remarks, *([self.closing] if self.closing else [])]


def _card(finding: Finding) -> str:
    border = f"border-left: 4px solid {COLORS.get(finding.severity, COLORS['advice'])}"
    text = html.escape("\n".join(finding_lines(finding)))
    return f'<pre style="{border}; margin: 0.5em 0; padding: 0.2em 0.8em; white-space: pre-wrap">{text}</pre>'


def finding_lines(finding: Finding, proof: str = "") -> list[str]:
    """The lines of one finding; `proof` is the command that tries its remedies.

    >>> finding = Finding("loss-sum", "warning", (), 1, {}, "the loss is a sum", "it grows with the batch")
    >>> print("\\n".join(finding_lines(finding)))
    ▲ loss-sum   since step 1
        the loss is a sum
        why     it grows with the batch
    """
    sign = SIGNS.get(finding.severity, "·")
    places = _places(finding.where)
    since = say("base.finding-since", step=finding.since)
    code = f"{finding.line}{say('base.finding-comma')}" if finding.line else ""
    sure = f"{say('base.finding-comma')}{say(f'base.finding-{finding.confidence}')}" if finding.confidence else ""
    lines = [f"{sign} {rule_label(finding.rule)}   {places}{code}{since}{sure}", f"    {finding.title}"]
    lines.append(f"    {say('base.finding-why')} {finding.why}")
    remedies = "   ".join(f"{n} {remedy_text(remedy)}" for n, remedy in enumerate(finding.remedies, 1))
    if remedies:
        lines.append(f"    {say('base.finding-remedy')} {remedies}{'   ' + proof if proof else ''}")
    if finding.snippet:
        lines += _code("before", finding.snippet.before) + _code("after", finding.snippet.after)
    symptoms: Sequence[str] = finding.evidence.get("symptoms", ())
    if symptoms:
        lines.append(f"    {say('base.finding-symptoms')} {_joined(symptoms)}")
    return [printable(line) for line in lines]


def remedy_text(remedy: Mapping[str, Any]) -> str:
    """A change as it stands in a recipe, or the advice.

    >>> remedy_text({"change": {"net.activation": "relu"}})
    'net.activation = "relu"'
    """
    if "advice" in remedy:
        return str(remedy["advice"])
    change = remedy.get("change")
    return ", ".join(f"{key} = {_toml(value)}" for key, value in change.items()) if isinstance(change, Mapping) else ""


def _code(phrase: str, text: str) -> list[str]:
    first, *rest = text.splitlines()
    return [f"    {say(f'base.finding-{phrase}')} {first}", *(f"{' ' * 12}{line}" for line in rest)]


def _joined(rules: Sequence[str]) -> str:
    return say("base.finding-comma").join(rule_label(rule) for rule in rules)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _places(where: Sequence[str]) -> str:
    if not where:
        return ""
    shown = ", ".join(where[:_MOST_PLACES])
    more = say("base.finding-more", count=len(where) - _MOST_PLACES) if len(where) > _MOST_PLACES else ""
    return f"{shown}{more}{say('base.finding-comma')}"
