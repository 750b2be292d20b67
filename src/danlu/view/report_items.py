"""The runs and studies of a report: the pictures and numbers that its prose can name, each number with what made it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from danlu.base.errors import UserError
from danlu.base.metric_names import metric_name
from danlu.base.words import language, say
from danlu.view.figures.chart import Chart
from danlu.view.figures.names import score_text
from danlu.view.figures.pages import compared_chart, net_scene, run_charts, study_charts
from danlu.view.graphs.svg import to_svg
from danlu.view.info.combinations import combinations
from danlu.view.info.curves import MOST_POINTS
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo
from danlu.view.page.document import chart_block
from danlu.view.page.markup import Markup, Part, element, joined
from danlu.view.provenance import Provenance
from danlu.view.report import PARTS, finding_cards, recipe_section
from danlu.view.study_report import members_section
from danlu.view.study_story import story_members
from danlu.view.study_words import combinations_table, effect_change
from danlu.view.texts import texts_section
from danlu.view.verdicts import effect_text, looks_text

_MOST_ROWS = 40

Fills = dict[str, Callable[[], Part]]


@dataclass(frozen=True)
class ReportItem:
    """A run or a study in a report, the one of that `number`; `made` says in the language in force how its numbers came
    to be."""

    number: int
    name: str
    info: RunInfo | StudyInfo
    made: Callable[[], Provenance]

    @property
    def place(self) -> str:
        """Where in the page that stands, for the language in force."""
        return f"made-{language()}-{self.number}"


def pictures_of(item: ReportItem) -> Fills:
    """What can stand between paragraphs, by its name: charts by their kinds, tables, findings."""
    info = item.info
    charts = run_charts(info, MOST_POINTS) if isinstance(info, RunInfo) else study_charts(info)
    kinds = dict.fromkeys(chart.kind for chart in charts)
    drawn: Fills = {kind: lambda kind=kind: _charts(charts, kind, item) for kind in kinds}
    if isinstance(info, StudyInfo):
        tables: Fills = {
            "answers": lambda: _answers(info, item),
            "combinations": lambda: _combinations(info, item),
            "members": lambda: joined([members_section(info, story_members(info)), _made_of(item)]),
        }
        return drawn | (tables if info.members else {}) | _recipe(info.recipe)
    own: Fills = {"scores": lambda: scores_table([item]), "findings": lambda: _findings(info, item)}
    own |= {"net": lambda: _net(info)} if info.history.net else {}
    own |= {"texts": lambda: texts_section(info.history.texts)} if info.history.texts else {}
    return drawn | own | _recipe(info.recipe)


def pictures_of_several(items: Sequence[ReportItem]) -> Fills:
    """What several runs can be seen in together; nothing where a study is among them."""
    infos = [item.info for item in items if isinstance(item.info, RunInfo)]
    if len(infos) < len(items):
        return {}
    names = [item.name for item in items]
    named = [replace(info, name=name) for info, name in zip(infos, names, strict=True)]
    return {
        "curves": lambda: _charts([compared_chart(named, banded=False)], "curves", *items),
        "scores": lambda: scores_table(items),
    }


def numbers_of(item: ReportItem) -> Mapping[str, str]:
    """What a sentence can name: the scores of a run, "test accuracy" or shorter "accuracy" for the part that counts; of
    a study the effect of each factor, and the scores of its best combination."""
    info = item.info
    if isinstance(info, StudyInfo):
        effects: dict[str, list[str]] = {}
        for effect in info.effects:
            effects.setdefault(str(effect["factor"]), []).append(_change(effect) + effect_text(effect))
        told = {factor: "; ".join(texts) for factor, texts in effects.items()}
        best = info.best.validation if info.best else {}
        return told | {f"validation {name}": score_text(value) for name, value in best.items()}
    there = [(part, info.score[part]) for part in PARTS if info.score.get(part)]
    shorter = {name: score_text(value) for _, score in reversed(there) for name, value in score.items()}
    return shorter | {f"{part} {name}": score_text(value) for part, score in there for name, value in score.items()}


def proved(text: str, item: ReportItem) -> Markup:
    """Words that open how their numbers were made."""
    title = say("report.open")
    return element("button", text, type="button", class_="proof", popovertarget=item.place, title=title)


def scores_table(items: Sequence[ReportItem]) -> Markup:
    """A row a run: each score of the part that counts."""
    scores = [_score(item) for item in items]
    names = list(dict.fromkeys(name for _, score in scores for name in score))
    head = [say("page.column-name"), say("report.part"), *map(metric_name, names)]
    rows: list[list[Part]] = []
    for item, (part, score) in zip(items, scores, strict=True):
        numbers = (proved(score_text(score[name]), item) if name in score else "–" for name in names)
        rows.append([item.name, say(f"page.part-{part}") if part else "–", *numbers])
    return _table(head, rows)


def _score(item: ReportItem) -> tuple[str, Mapping[str, float]]:
    score = item.info.score if isinstance(item.info, RunInfo) else {}
    part = next((part for part in PARTS if score.get(part)), "")
    return part, score.get(part, {})


def _charts(charts: Iterable[Chart], kind: str, *items: ReportItem) -> Markup:
    shown = [chart_block(chart) for chart in charts if chart.kind == kind]
    return joined([*shown, _made_of(*items)])


def _made_of(*items: ReportItem) -> Markup:
    buttons = [proved(say("report.made-of", name=item.name), item) for item in items]
    return element(
        "p",
        *(part for at, button in enumerate(buttons) for part in (*([" · "] if at else []), button)),
        class_="faint made-of",
    )


def _findings(info: RunInfo, item: ReportItem) -> Markup:
    return joined([*finding_cards(info), *([_made_of(item)] if info.findings else [])])


def _answers(info: StudyInfo, item: ReportItem) -> Markup:
    rows = [element("li", _change(effect), proved(effect_text(effect), item)) for effect in info.effects]
    looks = looks_text(info.looks)
    return element("ul", *rows, *([element("li", looks)] if looks else []))


def _change(effect: Mapping[str, object]) -> str:
    return f"{effect_change(effect)}   "


def _combinations(info: StudyInfo, item: ReportItem) -> Markup:
    members = [asdict(member) for member in info.members]
    found = combinations(members, [asdict(one) for one in info.baselines], info.metric)
    table = combinations_table(found, info.metric)
    rows = [
        [name, proved(mean, item), proved(deviation, item), *counts]
        for name, mean, deviation, *counts in table.rows[:_MOST_ROWS]
    ]
    more = say("study.more-rows", count=len(found) - _MOST_ROWS) if len(found) > _MOST_ROWS else None
    return joined([_table(table.head, rows), element("p", more, class_="faint") if more else None])


def _recipe(recipe: str) -> Fills:
    return {"recipe": lambda: recipe_section(recipe)} if recipe else {}


def _net(info: RunInfo) -> Markup:
    """The net as a drawing; where the parts that lay it out are not installed, what says so."""
    try:
        scene = net_scene(info)
    except UserError as error:
        return element("p", str(error), class_="faint")
    return element("div", Markup(to_svg(scene)) if scene else None, class_="graph")


def _table(head: Sequence[str], rows: Sequence[Sequence[Part]]) -> Markup:
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    heads = element("thead", element("tr", *(element("th", word) for word in head)))
    return element("div", element("table", heads, element("tbody", *body)), class_="scroll")
