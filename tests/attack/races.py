"""Two processes at one folder: one does the work, the other is told so, or reads what is there already."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import danlu
from attack.actions import ACTIONS, FIT, RATES, Action, undisturbed_end
from attack.child import end_group, quiet, start
from attack.tally import Tally
from danlu.study.study import Study

RACES = 20
SECONDS = 120.0
REFUSED = 2
WANTED = "one does it, the other is refused in a sentence or finds it done; the end is the undisturbed one"


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    tally = Tally("races of two processes at one folder", wanted=WANTED)
    contenders = [action for action in ACTIONS if action is not RATES]
    count = max(1, round(RACES * share))
    for action in contenders:
        numbers = [n for n in range(count) if contenders[n % len(contenders)] is action][part::parts]
        if not numbers:
            continue
        base = place / action.name
        base.mkdir(parents=True)
        wanted = undisturbed_end(action, base)
        for number in numbers:
            fault = raced(action, base / f"r{number}", number, wanted)
            tally.add("bad" if fault else "good", fault)
    return [tally]


def raced(action: Action, folder: Path, number: int, wanted: Any) -> str:
    """Two at the same folder (every third time one of them only reads, again and again); what is wrong with the end."""
    reads = number // 4 % 3 == 2
    printed = [folder.with_name(f"{folder.name}.{one}") for one in "ab"]
    children = [_contender(lambda: action.go(folder), printed[0])]
    time.sleep((number * 0.07) % 0.3)
    children.append(_contender((lambda: _watch(action, folder)) if reads else (lambda: action.go(folder)), printed[1]))
    codes = [_code(child) for child in children]
    told = [path.read_text(errors="replace")[-200:] for path in printed]
    if any(code not in (0, REFUSED) for code in codes) or 0 not in codes:
        return f"{action.name} {number}: ended with {codes}: {told}"
    try:
        action.go(folder)
        found = action.end(folder)
    except Exception as error:  # noqa: BLE001  (what it may be is what is looked for)
        return f"{action.name} {number}: {type(error).__name__}: {error}"
    return "" if found == wanted else f"{action.name} {number}: differs: {str(found)[:200]}"


def _contender(work: Callable[[], object], printed: Path) -> int:
    def contend() -> None:
        quiet(printed)
        try:
            work()
        except danlu.UserError as error:
            os.write(2, f"{error}\n".encode())
            os._exit(REFUSED)

    return start(contend)


def _watch(action: Action, folder: Path) -> None:
    """Read what is there until it is finished."""
    until = time.monotonic() + SECONDS / 2
    while time.monotonic() < until:
        time.sleep(0.005)
        try:
            seen = danlu.Run(folder) if action is FIT else Study(folder)
            seen.as_dict()
        except danlu.UserError:
            continue  # it is not there yet
        if seen.finished:
            return


def _code(child: int) -> int:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    end_group(child)
    os.waitpid(child, 0)
    return -1
