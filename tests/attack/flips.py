"""One bit flipped in a checkpoint, or in another file of a run: refused in a sentence, told and gone around, or
without any effect. Never another answer without a word.
"""

import random
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import danlu
from attack.actions import QUIET, fit
from attack.inputs.case import Case, attempt
from attack.tally import Tally
from danlu.base.errors import UserError
from danlu.run.fit import resume
from danlu.view.reporter import Reporter

CHECKPOINTS, OTHERS = 1000, 200
WANTED = "the same answer, or another one that is told, or one sentence"
HARMLESS = "no traceback"


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    chance = random.Random(f"{seed} {part}")
    whole, half = place / "whole", place / "half"
    fit(whole)
    _interrupted(half, whole)
    count = max(1, round(CHECKPOINTS * share / parts))
    resumed = Tally("bits flipped in checkpoints, then resumed", wanted=WANTED)
    asked = Tally("bits flipped in checkpoints, then asked", wanted=WANTED)
    others = Tally("bits flipped in a run's other files, then resumed, shown and asked", wanted=HARMLESS)
    wanted, answer = _end(whole), _answer(whole)
    for number in range(count):
        tally, source = (resumed, half) if number % 2 else (asked, whole)
        act, right = (_resumed, wanted) if number % 2 else (_answer, answer)
        _try(
            tally,
            source,
            place / f"f{number}",
            _files(source, inside=True),
            chance,
            lambda at, act=act, right=right: _same(act(at), right),
        )
    for number in range(max(1, round(OTHERS * share / parts))):
        source = (half, whole)[number % 2]
        _try(others, source, place / f"o{number}", _files(source, inside=False), chance, _all_of)
    return [resumed, asked, others]


def _interrupted(half: Path, whole: Path) -> None:
    """The same run as a kill leaves it: without its last checkpoint, and what the journal told after the one before."""
    shutil.copytree(whole, half)
    standing = sorted((half / "checkpoints").iterdir())
    shutil.rmtree(standing[-1])
    lines = (half / "journal.jsonl").read_text().splitlines(keepends=True)
    (half / "journal.jsonl").write_text(
        "".join(line for line in lines if '"end"' not in line and '"predictions"' not in line)
    )


def _files(folder: Path, inside: bool) -> list[Path]:
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [path for path in found if (path.parts[0] == "checkpoints") == inside and path.name != "report.html"]


def _try(
    tally: Tally, source: Path, copy: Path, files: list[Path], chance: random.Random, act: Callable[[Path], str]
) -> None:
    shutil.copytree(source, copy)
    path = copy / chance.choice(files)
    content = bytearray(path.read_bytes())
    place, bit = chance.randrange(len(content)), chance.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    name = f"{path.relative_to(copy)}, byte {place}, bit {bit}"
    end, complaint = attempt(Case(tally.attack, name, lambda _: [wrong] if (wrong := act(copy)) else []), copy)
    good = end in ("accepted", "refused")
    tally.add("good" if good else "bad", "" if good else f"{end}: {complaint}")
    shutil.rmtree(copy)


def _end(folder: Path) -> tuple[Any, list[str]]:
    run = danlu.Run(folder)
    state = {name: tensor.clone() for name, tensor in run.net().state_dict().items()}
    return (state, run.score), []


def _resumed(folder: Path) -> tuple[Any, list[str]]:
    told: list[str] = []
    note = Reporter.note
    Reporter.note = lambda self, fault: told.append(fault.id)  # type: ignore[method-assign]
    try:
        resume(folder, **QUIET)
    finally:
        Reporter.note = note  # type: ignore[method-assign]
    return _end(folder)[0], told


def _answer(folder: Path) -> tuple[Any, list[str]]:
    """What a finished run answers, and what it says beside that."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = danlu.Run(folder)
        state = {name: tensor.clone() for name, tensor in run.net().state_dict().items()}
    return (state, run.score), [str(one.message) for one in caught]


def _same(found: tuple[Any, list[str]], wanted: tuple[Any, list[str]]) -> str:
    """ "" where both are the same, or the difference was told."""
    (state, score), told = found
    (right, right_score), _ = wanted
    same = (
        state.keys() == right.keys() and all(state[name].equal(right[name]) for name in right) and score == right_score
    )
    return "" if same or told else f"another answer, and not a word: {score} for {right_score}"


def _all_of(folder: Path) -> str:
    """Show it, ask it, resume it: whatever one of them refuses, the next is tried as well."""
    refused: list[UserError] = []
    for act in (lambda: str(danlu.Run(folder)), lambda: danlu.Run(folder).as_dict(), lambda: danlu.Run(folder).net(),
                lambda: resume(folder, **QUIET)):  # fmt: skip
        try:
            act()
        except UserError as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return ""
