"""The book of claims: one offline HTML in both languages, a page a claim, to be read on a screen or printed on A4."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.printable import printable
from danlu.base.words import language, say
from danlu.view.claims import (
    check_text,
    comparison_text,
    control_text,
    plan_lines,
    published_lines,
    reason,
    sentence,
    verdict_words,
)
from danlu.view.figures.claims import claim_chart
from danlu.view.page.document import chart_block, document
from danlu.view.page.languages import in_both
from danlu.view.page.markup import Markup, Part, element


def claims_book(records: Sequence[Mapping[str, Any]]) -> str:
    """The book of these records, in the language in force, the other one behind a button."""
    return document(say("claims.book-title"), in_both(lambda: _half(records)))


def _half(records: Sequence[Mapping[str, Any]]) -> list[Part]:
    name = language()
    rows = [
        element(
            "tr",
            element("td", element("a", record["claim"], href=f"#{name}-{record['claim']}")),
            element("td", sentence(record)),
            element("td", verdict_words(record["verdict"])),
        )
        for record in records
    ]
    headings = (say(f"claims.list-{heading}") for heading in ("id", "sentence", "verdict"))
    head = element("tr", *(element("th", heading) for heading in headings))
    contents: list[Part] = [element("h1", say("claims.book-title")), element("p", say("claims.book-about"))]
    contents.append(element("table", element("thead", head), element("tbody", *rows)))
    return [element("div", *contents, class_="claim-page"), *(_page(record, name) for record in records)]


def _page(record: Mapping[str, Any], name: str) -> Markup:
    parts: list[Part] = [element("h2", sentence(record))]
    parts.append(element("p", element("strong", say("claims.verdict", verdict=verdict_words(record["verdict"])))))
    parts += [element("p", line) for line in reason(record)]
    if record["figure"]:
        parts.append(chart_block(claim_chart(record)))
    found = [comparison_text(one) for one in record["comparisons"]] + [check_text(one) for one in record["checks"]]
    found += [control_text(one) for one in record["controls"]]
    parts.append(element("ul", *(element("li", line) for line in found)))
    parts += [element("p", line) for line in published_lines(record)]
    parts.append(element("h3", say("claims.plan", hash=record["plan"]["hash"])))
    rows = [element("tr", element("th", part), element("td", text)) for part, text in plan_lines(record["plan"])]
    parts.append(element("table", element("tbody", *rows)))
    machine = ", ".join(f"{key} {value}" for key, value in record.get("machine", {}).items())
    facts = {"date": record.get("date", ""), "seconds": record.get("seconds", ""), "hash": record["plan"]["hash"]}
    parts.append(element("p", element("code", printable(record["command"]))))
    parts.append(element("p", f"{say('claims.facts', **facts)} · {printable(machine)}", class_="faint"))
    return element("article", *parts, class_="claim-page", id=f"{name}-{record['claim']}")
