"""A study in the terminal: what is planned, how far it is, what it found. Drawn from plain records."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from danlu.base.errors import Fault
from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.telling import steady_error
from danlu.base.words import say
from danlu.view.figures.names import score_text
from danlu.view.info.combinations import combinations, factors_text
from danlu.view.info.effects import level_text
from danlu.view.terminal import PlainConsole
from danlu.view.verdicts import effect_text, looks_text

_MOST_ROWS = 12
_MOST_TABLES = 3
_TEXT_WIDTH = 120
_WHICH = ("seed", "fold", "reason")


class StudyReporter:
    """Tells how far a study is, on standard error; not `visible`, it tells only what is amiss."""

    def __init__(self, visible: bool, console: Console | None = None) -> None:
        self._visible = visible
        self._console = console or PlainConsole(file=steady_error())
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not visible)
        self._task: Any = None

    def opening(self, plan: Mapping[str, Any], folder: Path) -> None:
        """Say what is about to be trained, and what cannot be."""
        for one in plan["failed"]:
            self._note(say("study.cell-failed", factors=factors_text(one["factors"]), reason=one["reason"]))
        if len(plan["seeds"]) == 1:
            self._note(say("study.one-seed"))
        if self._visible:
            self._print(say("study.opening", members=plan["members"], folder=folder))

    def group(self, combinations: int, members: int, alone: Fault | None) -> None:
        """A stack begins, or trainings one after another."""
        if not self._visible:
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._bar.start()
        if alone is not None:
            self._print(say("study.alone", members=members, reason=alone))
        self._task = self._bar.add_task(say("study.stack", members=members), total=members)

    def member(self) -> None:
        if self._task is not None:
            self._bar.advance(self._task)

    def close(self) -> None:
        self._bar.stop()

    def note(self, fault: Fault) -> None:
        """Tell something the user should know."""
        self._note(str(fault))

    def _note(self, text: str) -> None:
        self._console.print(f"! {text}", style="yellow", markup=False, soft_wrap=True)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def print_plan(console: Console, plan: Mapping[str, Any]) -> None:
    """What would be trained, and how: the answer to `--plan`."""
    counts = {"members": plan["members"], "seeds": len(plan["seeds"]), "folds": plan["folds"]}
    console.print(say("study.plan", combinations=_combinations(plan), **counts), markup=False, soft_wrap=True)
    for group in plan["groups"]:
        facts = {"members": group["members"], "combinations": len(group["combinations"]), "steps": group["steps"]}
        how = say("study.plan-stacked") if group["stacked"] else say("study.plan-alone", reason=group["reason"])
        line = say("study.plan-group", parameters=group["parameters"], how=how, **facts)
        console.print(line, markup=False, soft_wrap=True)
        if "jobs" in group:
            console.print(say("study.plan-jobs", reason=group["jobs_reason"]), markup=False, soft_wrap=True)
        if "seconds" in group:
            cost = {"seconds": f"{group['seconds']:.1f}", "megabytes": f"{group['megabytes']:.0f}"}
            console.print(say("study.plan-cost", **cost), markup=False, soft_wrap=True)
    for one in plan["failed"]:
        text = say("study.cell-failed", factors=factors_text(one["factors"]), reason=one["reason"])
        console.print(f"! {text}", style="yellow", markup=False, soft_wrap=True)


def print_study(console: Console, study: Mapping[str, Any]) -> None:
    """Scores by combination, effects with intervals, the best; from the object that `--json` prints."""
    _print_scores(console, study)
    for one in study["failed"]:
        if "seed" in one:
            text = say("study.member-failed", factors=factors_text(one["factors"]), **{k: one[k] for k in _WHICH})
            console.print(f"! {text}", style="yellow", markup=False, soft_wrap=True)
    console.print()
    _print_effects(console, study)
    _print_interactions(console, study)
    best = study["best"]
    if best:
        metric = study["metric"]
        console.print()
        scores = {part: score_text(best["score"][part].get(metric)) for part in ("validation", "test")}
        phrase = "study.best" if best.get("refit", True) else "study.best-as-it-was"
        line = say(phrase, factors=factors_text(best["factors"]), metric=metric_name(metric), **scores)
        console.print(line, markup=False, soft_wrap=True, style="bold")
    loading = study["loading_seconds"]
    times = {"seconds": study["seconds"], "loading": loading, "training": study["seconds"] - loading}
    told = {name: f"{seconds:.1f}" for name, seconds in times.items()}
    closing = say("study.closing", members=len(study["members"]), folder=shown(study["study"]), **told)
    console.print(closing, markup=False, soft_wrap=True)


def study_text(study: Mapping[str, Any]) -> str:
    """What `print_study` shows, as plain text."""
    return printed(lambda console: print_study(console, study))


def printed(show: Callable[[Console], None]) -> str:
    """What `show` prints, as plain text."""
    console = PlainConsole(file=io.StringIO(), width=_TEXT_WIDTH, color_system=None)
    with console.capture() as captured:
        show(console)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _print_scores(console: Console, study: Mapping[str, Any]) -> None:
    metric = study["metric"]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("study.combination"), overflow="fold")
    for heading in (metric_name(metric), say("study.spread"), say("study.members"), say("study.diverged")):
        table.add_column(heading, justify="right")
    ranked = combinations(study["members"], study["baselines"], metric)
    for one in ranked[:_MOST_ROWS]:
        numbers = (score_text(one.mean), score_text(one.deviation), str(one.count), str(one.diverged or ""))
        table.add_row(one.name, *numbers)
    console.print(table)
    if len(ranked) > _MOST_ROWS:
        console.print(say("study.more-rows", count=len(ranked) - _MOST_ROWS), markup=False)


def _print_effects(console: Console, study: Mapping[str, Any]) -> None:
    for effect in study["effects"]:
        change = f"{effect['factor']}: {level_text(effect['from'])} → {level_text(effect['to'])}"
        console.print(f"{change}   {effect_text(effect)}", markup=False, soft_wrap=True)
    if looks := looks_text(study.get("looks")):
        console.print(looks, markup=False, soft_wrap=True)


def _print_interactions(console: Console, study: Mapping[str, Any]) -> None:
    """The means of two factors' levels, with what the second one changes in the effect of the first."""
    tables = study["interactions"]
    for table in tables[:_MOST_TABLES]:
        first, second = table["factors"]
        console.print()
        drawn = Table(box=None, pad_edge=False, header_style="bold")
        drawn.add_column(f"{first} \\ {second}", overflow="fold")
        for column in table["columns"]:
            drawn.add_column(level_text(column), justify="right")
        for level, means in zip(table["rows"], table["means"], strict=True):
            drawn.add_row(level_text(level), *(score_text(mean) for mean in means))
        console.print(drawn)
        for change in sorted(table["changes"], key=lambda one: one["p"])[:_MOST_TABLES]:
            row, column = change["levels"]
            effect = f"{first}: {level_text(table['rows'][0])} → {level_text(row)}"
            at = f"{second}: {level_text(table['columns'][0])} → {level_text(column)}"
            verdict = say(f"study.interaction-{change['verdict'].replace(' ', '-')}", margin=f"{change['margin']:.3g}")
            facts = {"effect": effect, "at": at, "verdict": verdict}
            numbers = {name: f"{change[name]:+.4f}" for name in ("mean", "low", "high") if change[name] is not None}
            line = say("study.interaction" if len(numbers) == 3 else "study.interaction-open", **facts, **numbers)
            console.print(line, markup=False, soft_wrap=True)
    if len(tables) > _MOST_TABLES:
        console.print(say("study.more-interactions", count=len(tables) - _MOST_TABLES), markup=False)


def _combinations(plan: Mapping[str, Any]) -> int:
    return sum(len(group["combinations"]) for group in plan["groups"])
