"""Every input tried: in a child of its own, in an empty folder, within a time."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from attack.child import in_child
from attack.inputs.case import Case, attempt
from attack.tally import Tally, joined

SECONDS = 60.0  # after which an input hangs; the slowest take three


def tried(cases: Sequence[Case], place: Path) -> list[Tally]:
    """How the tries ended, by family."""
    tallies: list[Tally] = []
    for number, case in enumerate(cases):
        here = place / f"input-{number}"
        here.mkdir(parents=True)
        tally = Tally(case.family)
        ended = in_child(lambda case=case, here=here: attempt(case, here), here, SECONDS)
        if ended.state == "answered":
            end, complaint = ended.value
            if "Traceback (most recent" in ended.printed and end in ("accepted", "refused"):
                end, complaint = "traceback", f"{case.name}: printed {ended.printed[-300:]}"
            if end == "refused":
                tally.reasons[complaint] += 1
            tally.add(end, "" if end == "refused" else complaint)
        elif ended.state == "hung":
            tally.add("hang", f"{case.name}: not ended after {SECONDS:g} s")
        else:
            tally.add("traceback", f"{case.name}: the process died: {ended.printed[-300:]}")
        tallies.append(tally)
        shutil.rmtree(here, ignore_errors=True)
    return joined(tallies)
