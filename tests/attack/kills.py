"""A SIGKILL at a random moment, again and again, until it may end: then its end is the undisturbed one, bit for bit.

The children are forked from a process that has done each of these things once, because starting Python and torch a
thousand times would take an hour.
"""

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from attack.actions import ACTIONS, Action, undisturbed_end
from attack.child import quiet, start
from attack.tally import Tally
from danlu.base.places import OVERVIEW_VARIABLE
from dying import die_inside_a_save

KILLS = {"fit": 300, "compare": 250, "search": 150, "cure": 150, "lr-find": 150}
CHAIN = 4  # kills of one and the same training at most
POSTER = 10  # each of so many draws its poster when it ends, and is killed up to then
WANTED = "ends bit for bit as the undisturbed one"


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    """This part's share of the kills, action by action."""
    return [
        killed(
            action,
            max(1, round(KILLS[action.name] * share / parts)),
            random.Random(f"{seed} {part} {action.name}"),
            place,
        )
        for action in ACTIONS
    ]


def undisturbed(action: Action, place: Path) -> tuple[Any, float]:
    """The end of the action, done in this very process so that its children need not import anything, and the seconds
    that it takes once all is imported.
    """
    wanted = undisturbed_end(action, place)
    begin = time.monotonic()
    action.go(place / "again")
    seconds = time.monotonic() - begin
    assert wanted == action.end(place / "again"), f"two undisturbed ends of {action.name} differ"
    return wanted, seconds


def killed(action: Action, kills: int, chance: random.Random, base: Path) -> Tally:
    """So many kills; each counts as good where what it disturbed ended as it should."""
    place = base / action.name
    place.mkdir(parents=True)
    tally = Tally(f"kills of {action.name}", wanted=WANTED)
    wanted, seconds = undisturbed(action, place)
    number = 0
    while tally.tried < kills:
        folder = place / f"k{number}"
        os.environ[OVERVIEW_VARIABLE] = "0" if number % POSTER else "1"
        number += 1
        chain = [_disturbed(action, folder, seconds, chance) for _ in range(chance.randint(1, CHAIN))]
        done = min(sum(chain), kills - tally.tried)
        if not done:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        fault = _finished(action, folder, wanted)
        for _ in range(done):
            tally.add("bad" if fault else "good", fault)
        if not fault:
            shutil.rmtree(folder, ignore_errors=True)
    return tally


def _disturbed(action: Action, folder: Path, seconds: float, chance: random.Random) -> bool:
    """Go on with it, and kill it at some moment; whether it was killed, or had ended before that."""
    within, moment = chance.random() < 1 / 4, chance.randint(1, 40)

    def work() -> None:
        quiet(folder.with_suffix(".printed"))
        if within:
            die_inside_a_save(moment)
        action.go(folder)

    child = start(work)
    if not within:
        time.sleep(chance.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _finished(action: Action, folder: Path, wanted: Any) -> str:
    """Let it come to its end; what is wrong with that."""
    printed = folder.with_suffix(".printed")

    def work() -> None:
        quiet(printed)
        action.go(folder)

    _, status = os.waitpid(start(work), 0)
    if status:
        return f"{folder}: it did not go on: {printed.read_text(errors='replace')[-300:]}"
    try:
        found = action.end(folder)
    except Exception as error:  # noqa: BLE001  (whatever is wrong with the folder is what is looked for)
        return f"{folder}: {type(error).__name__}: {error}"
    if found == wanted:
        return ""
    differing = next((pair for pair in zip(found, wanted, strict=True) if pair[0] != pair[1]), ("", ""))
    return f"{folder} differs: {str(differing[0])[:150]} for {str(differing[1])[:150]}"
