"""What each page of the dashboard shows, as plain values that JSON can hold, in the language in force."""

import shlex
from typing import Any

from danlu.base.finding_text import remedy_text
from danlu.base.places import shown
from danlu.base.records import Finding
from danlu.base.rule_names import rule_name
from danlu.base.words import say
from danlu.view.curves_page import POINTS, asking, curves_page
from danlu.view.figures.chart import plain
from danlu.view.figures.names import score_label, score_text
from danlu.view.figures.pages import run_charts, study_charts
from danlu.view.info.cure import cured_findings
from danlu.view.info.curves import CurveQuery
from danlu.view.info.numbering import gravest_first, numbered
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo
from danlu.view.moments_page import moment_places
from danlu.view.report import PARTS, cure_command, run_facts
from danlu.view.study_story import study_story
from danlu.view.study_words import TextTable

_MOST_ROWS = 100
_LEAD = ("forest", "importance", "means", "parallel")
_FOLDED = ("slopes", "folds")
_FEW_EFFECTS = 3


def run_page(info: RunInfo) -> dict[str, Any]:
    """One run: its numbers, findings, charts, recipe and environment."""
    curves, *others = run_charts(info, POINTS)
    return {
        "name": info.name,
        "where": info.where,
        "state": info.state,
        "done": run_facts(info),
        "progress": _progress(info) if info.state == "running" else None,
        "cure": cure_command(info) if info.where and any(one.remedies for one in info.findings) else "",
        "numbers": _numbers(info),
        "findings": [
            _finding(number, one) | {"cure": _cure_of(info, one)} for number, one in gravest_first(info.findings)
        ],
        "charts": [asking(curves, [info]), *map(plain, others)],
        "try": f"danlu try {shlex.quote(str(shown(info.where)))}" if info.state == "finished" and info.where else "",
        "moments": moment_places(info),
        "net": info.history.net is not None,
        "recipe": info.recipe,
        "environment": plain(info.environment),
    }


def _finding(number: int, one: Finding) -> dict[str, Any]:
    return {
        "number": number,
        "rule": one.rule,
        "name": rule_name(one.rule),
        "severity": one.severity,
        "where": list(one.where),
        "since": one.since,
        "title": one.title,
        "why": one.why,
        "remedies": [[remedy_text(remedy), "change" in remedy] for remedy in one.remedies],
    }


def _cure_of(info: RunInfo, one: Finding) -> str:
    """What to type to have the remedies of one finding tried; "" where a recipe can take none of them."""
    mends = info.where and any("change" in remedy for remedy in one.remedies)
    return f"{cure_command(info)} --rule {shlex.quote(one.rule)}" if mends else ""


def _progress(info: RunInfo) -> dict[str, int]:
    """How far a training is, and how far it will go as far as that is known, for a page that measures its pace."""
    history = info.history
    size = info.settings.get("train.batch_size")
    return {
        "step": history.steps[-1] if history.steps else 0,
        "epoch": history.step_epochs[-1] if history.step_epochs else 0,
        "steps": history.planned_epochs * history.steps_per_epoch,
        "epochs": history.planned_epochs,
        "batch": size if isinstance(size, int) else 0,
    }


def compare_page(infos: list[RunInfo]) -> dict[str, Any]:
    """Several runs: their curves over each other, their scores, and the settings in which they differ."""
    scores = dict.fromkeys((part, name) for info in infos for part in PARTS for name in info.score.get(part, {}))
    keys = dict.fromkeys(key for info in infos for key in info.settings)
    different = [key for key in keys if len({repr(info.settings.get(key)) for info in infos}) > 1]
    return {
        "names": [info.name for info in infos],
        "charts": [curves_page(infos, CurveQuery(most=POINTS))["chart"]],
        "scores": [
            [score_label(part, name)] + [score_text(info.score.get(part, {}).get(name)) for info in infos]
            for part, name in scores
        ],
        "settings": [[key, *(_text(info.settings.get(key, "–")) for info in infos)] for key in different],
    }


def study_page(info: StudyInfo) -> dict[str, Any]:
    """A study as far as it is: its answers, tables, pictures and best combination."""
    story = study_story(info)
    charts = study_charts(info)
    # The first curves stand below effects that are few, where a column would be bare else.
    curves = next((chart for chart in charts if chart.kind == "curves" and len(info.effects) <= _FEW_EFFECTS), None)
    lead = [chart for chart in charts if chart.kind in _LEAD or chart is curves]
    rest = [chart for chart in charts if chart.kind not in (*_LEAD, *_FOLDED) and chart is not curves]
    return {
        "name": info.name,
        "where": info.where,
        "state": info.state,
        "done": story.facts,
        "heading": story.heading,
        "answers": [
            {"change": one.change, "answer": one.answer, "look": one.look, "command": command}
            | ({"lacks": say("figure.more-pairs", count=one.more)} if command else {})
            for one, command in story.answers
        ],
        "lines": list(story.lines),
        "best": story.best,
        "command": story.command,
        "numbers": [list(pair) for pair in story.numbers],
        "tables": [{"title": named.title, **_table(named.table)} for named in story.tables],
        "failed": list(story.failed),
        "cured": [_finding(number, one) for number, one in numbered(cured_findings(info), lambda one: one.since)],
        "charts": {
            "lead": list(map(plain, lead)),
            "rest": list(map(plain, rest)),
            "folded": [plain(chart) for chart in charts if chart.kind in _FOLDED],
        },
        "members": _table(story.members),
        "recipe": info.recipe,
    }


def _table(table: TextTable) -> dict[str, Any]:
    rows = [list(row) for row in table.rows[:_MOST_ROWS]]
    return {"head": list(table.head), "rows": rows, "all": len(table.rows), "lines": list(table.lines)}


def _numbers(info: RunInfo) -> list[list[str]]:
    return [
        [score_label(part, name), score_text(value)]
        for part in PARTS
        for name, value in info.score.get(part, {}).items()
    ]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
