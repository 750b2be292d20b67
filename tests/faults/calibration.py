"""How often what is told "surely", and "probably", is right: counted over planted and healthy programs."""

from collections.abc import Iterable

from danlu.base.records import PROBABLY, SURELY
from faults.judge import Outcome, Said
from faults.program import Planted
from faults.suite import PLANTED

ASKED = {SURELY: 0.98, PROBABLY: 0.85}
"""The least share of findings told with each word that must be right."""


def is_right(program: Planted | None, finding: Said) -> bool:
    """Whether it is the fault of the program, a cause that is as right, or a symptom of it; of a healthy one (None)
    nothing is right."""
    return program is not None and finding.rule in {program.rule, *program.causes, *program.symptoms}


def counted(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], list[tuple[bool, str]]]:
    """By word and rule: for each finding whether it is right, and of which program it was told."""
    found: dict[tuple[str, str], list[tuple[bool, str]]] = {}
    for outcome in outcomes:
        program = PLANTED[outcome.task.name] if outcome.task.kind == "planted" else None
        for finding in outcome.said:
            if finding.confidence:
                told = found.setdefault((finding.confidence, finding.rule), [])
                told.append((is_right(program, finding), f"{outcome.task.name} ({outcome.task.seed})"))
    return found


def calibration(outcomes: list[Outcome]) -> str:
    """The table as Markdown: each word, then each rule whose findings were not all right."""
    found = counted(outcomes)
    lines = ["| told | right | of | share | asked |", "|---|---|---|---|---|"]
    for word, asked in ASKED.items():
        told = [one for (own, _), several in found.items() if own == word for one in several]
        right = sum(one for one, _ in told)
        lines.append(f"| {word} | {right} | {len(told)} | {right / max(1, len(told)):.3f} | ≥ {asked} |")
    wrong = {key: several for key, several in found.items() if not all(right for right, _ in several)}
    lines += ["", "Not right:", ""]
    for (word, rule), several in sorted(wrong.items()):
        names = ", ".join(name for right, name in several if not right)
        lines.append(f"- `{rule}` ({word}), {sum(not right for right, _ in several)} of {len(several)}: {names}")
    return "\n".join(lines if wrong else [*lines, "- nothing"])


def uncalibrated(outcomes: list[Outcome]) -> list[str]:
    """Words that promise more than they hold."""
    complaints: list[str] = []
    for word, asked in ASKED.items():
        told = [one for (own, _), several in counted(outcomes).items() if own == word for one, _ in several]
        if told and sum(told) < asked * len(told):
            complaints.append(f'"{word}": {sum(told)} of {len(told)} findings are right; {asked:.0%} are promised')
    return complaints
