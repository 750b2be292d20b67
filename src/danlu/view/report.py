"""The report of a run: one file that opens anywhere, without a network and without danlu."""

import shlex
from collections.abc import Mapping
from typing import Any

from danlu.base.finding_text import remedy_text
from danlu.base.naming import listed
from danlu.base.places import shown
from danlu.base.records import Finding
from danlu.base.rule_names import rule_name
from danlu.base.words import say
from danlu.view.figures.names import score_label, score_text, short
from danlu.view.figures.pages import run_charts
from danlu.view.info.curves import MOST_POINTS
from danlu.view.info.numbering import gravest_first
from danlu.view.info.run import RunInfo
from danlu.view.moments_page import moments_section
from danlu.view.page.document import chart_block, document
from danlu.view.page.fragment import chart_height, framed
from danlu.view.page.languages import in_both
from danlu.view.page.markup import Markup, Part, element, joined
from danlu.view.summary import baseline_lines, imported_line, parent_line
from danlu.view.texts import texts_section

PARTS = ("test", "validation", "train")


def run_report(info: RunInfo) -> str:
    """Summary first, then findings, curves and all other pictures, recipe and environment; in both languages."""
    return document(f"{info.name} · danlu", in_both(lambda: _parts(info)))


def _parts(info: RunInfo) -> list[Part]:
    curves, *charts = [chart_block(chart) for chart in run_charts(info, MOST_POINTS)]
    told = [texts_section(info.history.texts), recipe_section(info.recipe), environment_section(info.environment)]
    return [*run_summary(info), findings_section(info), curves, moments_section(info), *charts, *told]


def run_html(info: RunInfo) -> str:
    """A run in a notebook: its summary, findings and curves."""
    (curves, *_) = run_charts(info, MOST_POINTS)
    height = 330 + chart_height(curves) + 130 * len(info.findings)
    return framed(info.name, [*run_summary(info), findings_section(info), chart_block(curves)], height)


def run_summary(info: RunInfo) -> list[Markup]:
    """Name, state, and the numbers people look at first."""
    numbers: list[Markup] = []
    for part in PARTS:
        for name, value in info.score.get(part, {}).items():
            numbers.append(element("li", element("b", score_text(value)), element("span", score_label(part, name))))
    where = element("p", element("code", info.where), class_="faint") if info.where else None
    forecast = info.history.forecast
    beside = [] if forecast is None else baseline_lines(forecast.baselines, info.score.get("test", {}))
    return [
        element("h1", info.name),
        element("p", run_facts(info)),
        joined([where]),
        element("ul", *numbers, class_="numbers"),
        *(element("p", line.strip()) for line in beside),
    ]


def run_facts(info: RunInfo) -> str:
    """How far a run is, in a line."""
    history = info.history
    began = [parent_line(history.parent)] if history.parent else []
    began += [imported_line(history.imported)] if history.imported else []
    planned = f"/{history.planned_epochs:,}" if info.state == "running" and history.planned_epochs else ""
    done = say(
        "page.done",
        state=say(f"page.state-{info.state}"),
        epochs=f"{len(history.epochs):,}{planned}",
        steps=f"{history.steps[-1] if history.steps else 0:,}",
        seconds=short(round(history.seconds, 1)),
    )
    return " · ".join([done, *began])


def findings_section(info: RunInfo) -> Markup:
    """All findings under their heading."""
    return element("section", element("h2", say("page.findings")), *finding_cards(info))


def finding_cards(info: RunInfo) -> list[Markup]:
    """All findings, the gravest first; or that there is none."""
    cards = [finding_card(one, number) for number, one in gravest_first(info.findings)] or [
        element("p", say("page.no-findings"), class_="faint")
    ]
    if any(one.remedies for one in info.findings) and info.where:
        cards.append(element("p", f"{say('page.prove')} ", element("code", cure_command(info)), class_="faint"))
    return cards


def cure_command(info: RunInfo) -> str:
    """What to type to have the remedies of a run tried."""
    return f"danlu cure {shlex.quote(str(shown(info.where)))}"


def finding_card(finding: Finding, number: int) -> Markup:
    """One finding with its number: what, where, since when, why, and what to do."""
    where = listed(finding.where, 4)
    since = say("page.since", step=f"{finding.since:,}")
    sure = say(f"base.finding-{finding.confidence}") if finding.confidence else ""
    name = rule_name(finding.rule)
    head = element(
        "p",
        element("b", f"{number} · {say(f'page.severity-{finding.severity}')} · {name}"),
        *([" ", element("span", finding.rule, class_="faint")] if name != finding.rule else []),
        "".join(f" · {part}" for part in (where, finding.line, since, sure) if part),
    )
    rows: list[Markup] = []
    remedies = "\u2003".join(f"{number} {remedy_text(one)}" for number, one in enumerate(finding.remedies, 1))
    for name, text in ((say("page.why"), finding.why), (say("page.remedy"), remedies)):
        if text:
            rows += [element("dt", name), element("dd", text)]
    if finding.snippet:
        for name, text in (("before", finding.snippet.before), ("after", finding.snippet.after)):
            rows += [element("dt", say(f"base.finding-{name}").strip()), element("dd", element("pre", text))]
    return element("div", head, element("p", finding.title), element("dl", *rows), class_=f"finding {finding.severity}")


def recipe_section(recipe: str) -> Markup:
    """The recipe as it stands in its file."""
    return element("section", element("h2", say("page.recipe")), element("pre", recipe)) if recipe else Markup("")


def environment_section(environment: Mapping[str, Any]) -> Markup:
    """Where the run was carried out, as a table."""
    rows = [
        element("tr", element("td", key, class_="faint"), element("td", value)) for key, value in _facts(environment)
    ]
    if not rows:
        return Markup("")
    return element(
        "section", element("h2", say("page.environment")), element("div", element("table", *rows), class_="scroll")
    )


def _facts(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found += _facts(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return found
