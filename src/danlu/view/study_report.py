"""The report of a study, a search or a cure: one file that opens anywhere, without a network and without danlu."""

from danlu.base.words import say
from danlu.view.figures.pages import study_charts
from danlu.view.info.cure import cured_findings
from danlu.view.info.numbering import numbered
from danlu.view.info.study import StudyInfo
from danlu.view.page.document import chart_block, document
from danlu.view.page.fragment import chart_height, framed
from danlu.view.page.languages import in_both
from danlu.view.page.markup import Markup, Part, element, joined
from danlu.view.report import finding_card, recipe_section
from danlu.view.study_story import StudyStory, study_story
from danlu.view.study_words import TextTable


def study_report(info: StudyInfo) -> str:
    """The answers first, then tables, all pictures, the best recipe, and the members; in both languages."""
    return document(f"{info.name} · danlu", in_both(lambda: _parts(info)))


def _parts(info: StudyInfo) -> list[Part]:
    story = study_story(info)
    charts = [chart_block(chart) for chart in study_charts(info)]
    tables = [*_tables(story), _failed(story)]
    return [
        *study_summary(info, story),
        *tables,
        *charts,
        _cured(info),
        recipe_section(info.recipe),
        members_section(info, story.members),
    ]


def study_html(info: StudyInfo) -> str:
    """A study in a notebook: its summary and effects."""
    charts = [chart for chart in study_charts(info) if chart.kind in ("forest", "importance")]
    height = 320 + sum(chart_height(chart) for chart in charts) + 26 * len(info.effects)
    return framed(info.name, [*study_summary(info, study_story(info)), *map(chart_block, charts)], height)


def study_summary(info: StudyInfo, story: StudyStory) -> list[Markup]:
    """Name, how far it is, the answer to each comparison, and what did best."""
    answers = [
        element("li", element("b", one.change), f"   {one.answer}", *_command(command), class_=one.look)
        for one, command in story.answers
    ]
    scores = [element("li", element("b", value), element("span", name)) for name, value in story.numbers]
    where = element("p", element("code", info.where), class_="faint") if info.where else None
    return [
        element("h1", info.name),
        element("p", story.facts),
        joined([where]),
        joined([element("p", story.heading) if story.heading else None]),
        element("ul", *answers, *(element("li", line) for line in story.lines), class_="answers"),
        joined([element("p", element("b", story.best)) if story.best else None]),
        joined([element("p", element("code", story.command)) if story.command else None]),
        element("ul", *scores, class_="numbers"),
    ]


def _command(command: str) -> list[Part]:
    return [element("br"), say("page.more-seeds"), " ", element("code", command)] if command else []


def _tables(story: StudyStory) -> list[Markup]:
    return [
        element("section", element("h2", named.title), _table(named.table), *_lines(named.table))
        for named in story.tables
    ]


def _lines(table: TextTable) -> list[Markup]:
    return [element("p", line) for line in table.lines]


def _table(table: TextTable) -> Markup:
    head = element("thead", element("tr", *(element("th", word) for word in table.head))) if table.head else None
    body = element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in table.rows))
    return element("div", element("table", joined([head]), body), class_="scroll")


def _failed(story: StudyStory) -> Markup:
    if not story.failed:
        return Markup("")
    rows = [element("li", text) for text in story.failed]
    return element("section", element("h2", say("page.failed")), element("ul", *rows))


def _cured(info: StudyInfo) -> Markup:
    """The findings of the run whose remedies were tried."""
    found = numbered(cured_findings(info), lambda one: one.since)
    if not found:
        return Markup("")
    title = element("h2", say("page.cured", run=str((info.cure or {}).get("run", ""))))
    return element("section", title, *(finding_card(one, number) for number, one in found))


def members_section(info: StudyInfo, table: TextTable) -> Markup:
    """The table of the members, folded away."""
    summary = element("summary", say("page.members", count=f"{len(info.members):,}"))
    return element("section", element("details", summary, _table(table), *_lines(table)))
