"""What each page of the dashboard shows, as plain values that JSON can hold, in the language in force."""

import shlex
from collections.abc import Mapping
from typing import Any

from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.rule_names import rule_name
from danlu.base.words import say
from danlu.view.curves_page import POINTS, asking, curves_page
from danlu.view.figures.chart import plain
from danlu.view.figures.names import score_text
from danlu.view.figures.pages import run_charts, study_charts
from danlu.view.info.combinations import combinations
from danlu.view.info.curves import CurveQuery
from danlu.view.info.effects import setting_text
from danlu.view.info.numbering import numbered
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo
from danlu.view.report import PARTS, best_scores, cure_command, remedy_text, run_facts, study_answers, study_facts

_MOST_ROWS = 100


def run_page(info: RunInfo) -> dict[str, Any]:
    """One run: its numbers, findings, charts, recipe and environment."""
    findings = [
        {
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
        for number, one in numbered(info.findings, lambda one: one.since)
    ]
    curves, *others = run_charts(info, POINTS)
    return {
        "name": info.name,
        "where": info.where,
        "state": info.state,
        "done": run_facts(info),
        "progress": _progress(info) if info.state == "running" else None,
        "cure": cure_command(info) if info.where and any(one.remedies for one in info.findings) else "",
        "numbers": _numbers(info),
        "findings": findings,
        "charts": [asking(curves, [info]), *map(plain, others)],
        "try": f"danlu try {shlex.quote(str(shown(info.where)))}" if info.state == "finished" and info.where else "",
        "texts": [[say("page.epoch", epoch=one.epoch), one.prompt, one.text] for one in info.history.texts],
        "net": info.history.net is not None,
        "recipe": info.recipe,
        "environment": plain(info.environment),
    }


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
            [f"{say(f'page.part-{part}')} · {metric_name(name)}"]
            + [score_text(info.score.get(part, {}).get(name)) for info in infos]
            for part, name in scores
        ],
        "settings": [[key, *(_text(info.settings.get(key, "–")) for info in infos)] for key in different],
    }


def study_page(info: StudyInfo) -> dict[str, Any]:
    """A study as far as it is: its answers, pictures and best combination."""
    return {
        "name": info.name,
        "where": info.where,
        "state": info.state,
        "done": study_facts(info),
        "answers": study_answers(info),
        "best": say("page.best", setting=setting_text(info.best.factors)) if info.best and info.best.factors else "",
        "numbers": [[name, value] for name, value in best_scores(info)],
        "combinations": _combinations(info),
        "failed": [f"{setting_text(one.get('factors') or {})}: {one.get('reason', '')}" for one in info.failed],
        "charts": [plain(chart) for chart in study_charts(info)],
        "recipe": info.recipe,
    }


def test_scores(score: Mapping[str, float]) -> list[list[str]]:
    """The scores of a study's best run on the test part, by their names."""
    return [[f"{say('page.part-test')} · {metric_name(name)}", score_text(value)] for name, value in score.items()]


def _combinations(info: StudyInfo) -> dict[str, Any]:
    """The table of what each combination reached, which the terminal prints too."""
    members = [member.as_dict() for member in info.members]
    baselines = [{"baseline": one.baseline, "score": one.score} for one in info.baselines]
    found = combinations(members, baselines, info.metric)
    head = ("study.combination", "study.spread", "study.members", "study.diverged")
    name, *others = map(say, head)
    rows = [
        [one.name, score_text(one.mean), score_text(one.deviation), str(one.count), str(one.diverged or "")]
        for one in found
    ]
    return {"head": [name, metric_name(info.metric), *others], "rows": rows[:_MOST_ROWS], "all": len(rows)}


def _numbers(info: RunInfo) -> list[list[str]]:
    return [
        [f"{say(f'page.part-{part}')} · {metric_name(name)}", score_text(value)]
        for part in PARTS
        for name, value in info.score.get(part, {}).items()
    ]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
