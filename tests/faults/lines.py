"""Whether a finding names the line of a program where its fault was planted.

A program marks that line with `# fault`, or several where the fault stands in as many. Outside of its function the mark
says whose fault it is, `# fault: name-of-the-program`, or, in a loop that many programs share, what kind of place the
line is: the place that a rule points at (`fault_in`).
"""

import functools
import inspect
from collections.abc import Iterator
from pathlib import Path

from danlu.watch.culprits import OUTCOME
from danlu.watch.rulebook import rulebook
from faults import ordinary
from faults.judge import Outcome
from faults.program import Planted

MARK = "# fault"

# Programs whose finding names another line than the marked one, and why.
ELSEWHERE: dict[str, str] = {}


def has_line(rule: str) -> bool:
    """Whether its findings name a line: what a training comes to has no single one."""
    return next(one.fault_in for one in rulebook() if one.id == rule) != OUTCOME


def line_right(program: Planted, outcome: Outcome) -> bool:
    """Whether the finding of the fault, or of a cause that is as right, names a marked line."""
    found = next((one for one in outcome.said if one.rule in {program.rule, *program.causes}), None)
    return found is not None and found.line in set(_marked(program, found.rule))


def _marked(program: Planted, rule: str) -> Iterator[tuple[str, int]]:
    function = inspect.unwrap(program.train)
    own = inspect.getsourcefile(function) or ""
    lines, first = inspect.getsourcelines(function)
    inside = range(first, first + len(lines))
    kind = next(one.fault_in for one in rulebook() if one.id == rule) or "module"
    for file in (own, ordinary.__file__):
        for number, text in enumerate(_lines(file), start=1):
            _, mark, words = text.partition(MARK)
            meant = words.strip(": ").split()
            here = file == own and number in inside and not meant
            if mark and (here or program.name in meant or (file == ordinary.__file__ and kind in meant)):
                yield file, number


@functools.cache
def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()
