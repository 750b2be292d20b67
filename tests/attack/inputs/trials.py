"""Every input tried: in a child of its own, in an empty folder, within a time."""

import itertools
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import danlu
from attack.child import in_child
from attack.inputs import arrays, files, pictures, recorded, samples, structured, tables, words
from attack.inputs.case import Case, attempt
from attack.tally import Tally, joined

SECONDS = 120.0  # after which an input hangs; on an idle machine the slowest take three
FAMILIES = (tables, structured, arrays, pictures, samples, files, words, recorded)


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    """Every so many-th case of all; each of the parts another."""
    place.mkdir(parents=True)
    # Digits are arrays: a table would set polars to work, and no child could read one any more.
    danlu.fit("softmax-regression", "digits", epochs=1, folder=place / "warm", progress=False)
    cases = list(itertools.chain.from_iterable(family.cases() for family in FAMILIES))
    every = max(1, round(1 / share))
    return tried(cases[seed % every :: every][part::parts], place)


def tried(cases: Sequence[Case], place: Path) -> list[Tally]:
    """How the tries ended, by family."""
    tallies: list[Tally] = []
    for number, case in enumerate(cases):
        here = place / f"input-{number}"
        here.mkdir(parents=True)
        begin = time.monotonic()
        tally = Tally(case.family)
        ended = in_child(lambda case=case, here=here: attempt(case, here), here, SECONDS)
        if ended.state == "answered":
            end, complaint = ended.value
            assert complaint != "files.forked", "polars has worked in this process: its children can read no table"
            if "Traceback (most recent" in ended.printed and end in ("accepted", "refused"):
                end, complaint = "traceback", f"{case.name}: printed {ended.printed[-300:]}"
            if end == "refused":
                tally.reasons[complaint] += 1
            tally.add(end, "" if end == "refused" else complaint)
        elif ended.state == "hung":
            tally.add("hang", f"{case.name}: not ended after {SECONDS:g} s")
        else:
            tally.add("traceback", f"{case.name}: the process died: {ended.printed[-300:]}")
        tally.slowest = (time.monotonic() - begin, case.name)
        tallies.append(tally)
        shutil.rmtree(here, ignore_errors=True)
    return joined(tallies)
