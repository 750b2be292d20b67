"""The order of a report whose prose nobody has written: question, effect, scores, curves, findings, as Markdown."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from danlu.base.metric_names import metric_name
from danlu.base.naming import listed
from danlu.base.words import say
from danlu.view.info.effects import level_text
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo
from danlu.view.report_items import ReportItem, pictures_of

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_MOST_LEVELS = 8


def outline(items: Sequence[ReportItem]) -> str:
    """The report as its prose would name the pictures: a beginning for one's own."""
    studies = [item for item in items if isinstance(item.info, StudyInfo)]
    runs = [item for item in items if isinstance(item.info, RunInfo)]
    effects = [one for item in studies for one in _under(item, studies, ("answers", "forest", "combinations"))]
    courses = [_place("curves", runs)] if len(runs) > 1 else []
    for item in items if len(runs) < 2 else studies:
        courses += _under(item, items, ("curves", "sweep"))
    for item in runs:
        courses += _under(item, runs, ("confusion", "residuals", "forecast", "texts"))
    sections = {
        say("report.question"): [_question(item) for item in studies],
        say("report.effect"): effects,
        say("page.scores"): [_place("scores", runs)] if runs else [],
        say("report.curves"): courses,
        say("page.findings"): [one for item in runs for one in _under(item, runs, ("findings",))],
    }
    lines = [f"# {_words(listed((item.name for item in items), 4))}"]
    for heading, told in sections.items():
        lines += [f"## {heading}", *told] if told else []
    return "\n\n".join(lines) + "\n"


def _question(item: ReportItem) -> str:
    info = item.info
    assert isinstance(info, StudyInfo)
    varied = [f"{key} ({listed(map(level_text, levels), _MOST_LEVELS)})" for key, levels in info.factors.items()]
    factors = say("report.and").join(map(_words, varied))
    facts = {
        "metric": _words(metric_name(info.metric)),
        "trainings": f"{len(info.members):,}",
        "name": _words(item.name),
    }
    return say("report.asks", factors=factors, seeds=len({one.seed for one in info.members}), **facts)


def _under(item: ReportItem, among: Sequence[ReportItem], kinds: Sequence[str]) -> list[str]:
    """Those pictures that it has, under its name where there are several."""
    there = pictures_of(item)
    places = [_place(kind, [item]) for kind in kinds if kind in there]
    return [f"### {_words(item.name)}", *places] if places and len(among) > 1 else places


def _place(kind: str, items: Sequence[ReportItem]) -> str:
    return f"![{kind}]({','.join(quote(item.name, safe='') for item in items)})"


def _words(text: str) -> str:
    """A name as Markdown writes it, all of its signs as they are."""
    return _MARKS.sub(r"\\\1", text)
