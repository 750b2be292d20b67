"""Running programs, and what the findings say about watch."""

import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from danlu.watch.story import excluding_pairs
from faults import data
from faults.program import RULES, Planted, Watch, worse
from faults.suite import HEALTHY, PLANTED

LOUD = ("error", "warning")


@dataclass(frozen=True)
class Said:
    """One finding, in short."""

    rule: str
    severity: str
    title: str
    confidence: str = ""
    cause: str = ""
    line: tuple[str, int] = ("", 0)  # file and number


@dataclass(frozen=True)
class Task:
    """A program to run; `kind` is "healthy", "planted" or "twin" (a planted program without its fault)."""

    kind: str
    name: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of it; `crash` is the exception that ended the program, empty if none did."""

    task: Task
    score: float
    said: tuple[Said, ...]
    seconds: float
    crash: str = ""

    @property
    def loud(self) -> list[Said]:
        return [finding for finding in self.said if finding.severity in LOUD]


def prepare(folder: Path) -> None:
    """What each process does first; one thread each, so that the scores do not depend on the machine's load."""
    torch.set_num_threads(1)
    data.use_root(folder)


def run(task: Task, *, listening: bool = True) -> Outcome:
    """Run one program. What a faulty program raises ends it, as it would in a notebook, and the findings remain."""
    watch = Watch(listening)
    start, score, crash = time.perf_counter(), float("nan"), ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if task.kind == "healthy":
                score = HEALTHY[task.name].train(watch, task.seed)
            else:
                score = PLANTED[task.name].train(watch, task.seed, task.kind == "planted")
        except Exception as error:  # noqa: BLE001 - a program may fail in whatever way its fault makes it
            crash = f"{type(error).__name__}: {error}".splitlines()[0]
    said = tuple(map(_said, watch.findings))
    return Outcome(task, score, said, time.perf_counter() - start, crash)


def _said(finding: Any) -> Said:
    line = finding.as_dict().get("line") or {"file": "", "line": 0}
    cause = str(finding.evidence.get("cause", ""))
    return Said(finding.rule, finding.severity, finding.title, finding.confidence, cause, (line["file"], line["line"]))


def found(program: Planted, outcome: Outcome) -> bool:
    """Whether the fault was named, or a cause that is as right."""
    return bool({finding.rule for finding in outcome.said} & {program.rule, *program.causes})


def first_right(program: Planted, outcome: Outcome) -> bool:
    """Whether what is shown first is the fault or a cause that is as right."""
    return bool(outcome.said) and outcome.said[0].rule in {program.rule, *program.causes}


def astray(program: Planted, outcome: Outcome) -> list[Said]:
    """Errors and warnings that are neither the fault nor a cause nor a symptom of it."""
    expected = {program.rule, *program.causes, *program.symptoms}
    return [finding for finding in outcome.loud if finding.rule not in expected]


def contradictions(outcome: Outcome) -> list[str]:
    """Pairs of rules told together although they exclude each other, each as "one, other"."""
    told = {finding.rule for finding in outcome.said}
    return sorted(", ".join(sorted(pair)) for pair in excluding_pairs() if pair <= told)


def unsound(outcomes: Iterable[Outcome]) -> list[str]:
    """Programs that are not what they claim: a healthy one that scores too low, a fault that costs too little."""
    results = {outcome.task: outcome for outcome in outcomes}
    complaints = []
    for task, outcome in results.items():
        if task.kind == "healthy" and not outcome.score >= HEALTHY[task.name].at_least:
            wanted = f"{outcome.score:.3f}, at least {HEALTHY[task.name].at_least} is wanted"
            complaints.append(f"{task.name} (seed {task.seed}): {outcome.crash or wanted}")
        if task.kind == "twin" and outcome.crash:
            complaints.append(f"{task.name} without its fault (seed {task.seed}): {outcome.crash}")
        twin = results.get(Task("twin", task.name, task.seed))
        if task.kind == "planted" and twin:
            costs = PLANTED[task.name].costs
            if costs is not None and not worse(outcome.score, twin.score, costs):
                complaints.append(
                    f"{task.name} (seed {task.seed}): {outcome.score:.3f} with and {twin.score:.3f} without its fault;"
                    f" it should cost {costs}"
                )
    return complaints


def table(outcomes: list[Outcome]) -> str:
    """The results as Markdown: the four figures, recall per rule, and each miss and false alarm by name."""
    planted = [(PLANTED[outcome.task.name], outcome) for outcome in outcomes if outcome.task.kind == "planted"]
    healthy = [outcome for outcome in outcomes if outcome.task.kind == "healthy"]
    twins = [outcome for outcome in outcomes if outcome.task.kind == "twin"]
    lines = ["| | figure | asked |", "|---|---|---|"]
    lines += [
        _row("recall", [found(*pair) for pair in planted], "≥ 0.95"),
        _row("first finding right", [first_right(*pair) for pair in planted], "≥ 0.85"),
        _row("planted runs with a finding astray", [bool(astray(*pair)) for pair in planted], ""),
        _row("healthy runs with any error or warning", [bool(outcome.loud) for outcome in healthy], "≤ 0.02"),
        _row("healthy runs with any finding, advice too", [bool(outcome.said) for outcome in healthy], "≤ 0.10"),
        _row("faultless twins with any error or warning", [bool(outcome.loud) for outcome in twins], ""),
        _row("runs told what excludes each other", [bool(contradictions(outcome)) for outcome in outcomes], "0"),
    ]
    lines += ["", "| rule | recall | first right | missed in |", "|---|---|---|---|"]
    for rule in RULES:
        runs = [(program, outcome) for program, outcome in planted if program.rule == rule]
        missed = [
            f"{outcome.task.name} ({outcome.task.seed})" for program, outcome in runs if not found(program, outcome)
        ]
        recall, first = ([judge(*pair) for pair in runs] for judge in (found, first_right))
        if runs:
            lines.append(f"| `{rule}` | {_share(recall)} | {_share(first)} | {', '.join(missed)} |")
    for heading, runs in (("Said of healthy runs", healthy), ("Said of twins", twins)):
        lines += ["", f"{heading}:", ""]
        lines += [_spoken(outcome, outcome.said) for outcome in runs if outcome.said] or ["- nothing"]
    lines += ["", "Shown first in place of the fault, or astray:", ""]
    wrong = [(outcome, _wrong(program, outcome)) for program, outcome in planted]
    lines += [_spoken(outcome, said) for outcome, said in wrong if said] or ["- nothing"]
    crashed = [outcome for outcome in outcomes if outcome.crash and outcome.task.kind != "planted"]
    if crashed:
        lines += ["", "Ended by an exception:", ""]
        lines += [f"- {outcome.task.name} ({outcome.task.seed}): {outcome.crash}" for outcome in crashed]
    return "\n".join(lines)


def _wrong(program: Planted, outcome: Outcome) -> list[Said]:
    first = [] if first_right(program, outcome) else list(outcome.said[:1])
    return list(dict.fromkeys([*first, *astray(program, outcome)]))


def _row(name: str, hits: list[bool], asked: str) -> str:
    return f"| {name} | {_share(hits)} ({sum(hits)} of {len(hits)}) | {asked} |" if hits else f"| {name} | not run | |"


def _share(hits: list[bool]) -> str:
    return f"{sum(hits) / len(hits):.3f}" if hits else "–"


def _spoken(outcome: Outcome, said: Iterable[Said]) -> str:
    words = "; ".join(f"`{finding.rule}` ({finding.severity}): {finding.title}" for finding in said)
    return f"- {outcome.task.name} (seed {outcome.task.seed}): {words}"
