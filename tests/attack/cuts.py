"""Journals cut off after every byte of their last 4 KB: they are read, and what goes on from them ends the same."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import danlu
from attack.actions import COMPARE, FIT, QUIET, Action
from attack.tally import Tally
from danlu.store.journal import Journal, read
from danlu.study.study import Study

LAST = 4096
EVERY = {"fit": 4, "compare": 32}  # each of so many cuts is gone on from; all are read


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    kinds: list[tuple[Action, Callable[[Path], object]]] = [
        (FIT, lambda folder: danlu.Run(folder).as_dict()),
        (COMPARE, lambda folder: Study(folder).as_dict()),
    ]
    tallies: list[Tally] = []
    for action, look in kinds:
        folder = place / action.name / "whole"
        folder.parent.mkdir(parents=True)
        action.go(folder)
        journal = (folder / "journal.jsonl").read_bytes()
        bytes_of = range(max(0, len(journal) - LAST), len(journal))
        chosen = list(bytes_of)[:: max(1, round(1 / share))][part::parts]
        tallies.append(_read(action, folder, journal, chosen, look))
        tallies.append(_gone_on(action, folder, journal, chosen[:: EVERY[action.name]]))
    return tallies


def _read(action: Action, folder: Path, journal: bytes, cuts: list[int], look: Callable[[Path], object]) -> Tally:
    tally = Tally(f"journal of {action.name} cut, then read and shown", wanted="all whole lines, and not one more")
    copy = folder.with_name("read")
    shutil.copytree(folder, copy)
    path = copy / "journal.jsonl"
    for cut in cuts:
        path.write_bytes(journal[:cut])
        whole = journal[:cut].count(b"\n") + (journal[cut : cut + 1] == b"\n")
        try:
            found = len(list(read(path)))
            look(copy)
            fault = "" if found == whole else f"{found} records of {whole} lines"
        except danlu.UserError as error:
            fault = "" if str(error) else "refused without a word"
        except Exception as error:  # noqa: BLE001  (what it may be is what is looked for)
            fault = f"{type(error).__name__}: {error}"
        tally.add("bad" if fault else "good", f"at byte {cut}: {fault}" if fault else "")
    shutil.rmtree(copy)
    return tally


def _gone_on(action: Action, folder: Path, journal: bytes, cuts: list[int]) -> Tally:
    tally = Tally(f"journal of {action.name} cut, then gone on", wanted="ends bit for bit as it did")
    wanted = action.end(folder)
    for cut in cuts:
        copy = folder.with_name("gone-on")
        shutil.copytree(folder, copy)
        (copy / "journal.jsonl").write_bytes(journal[:cut])
        fault = _fault(action, copy, wanted)
        tally.add("bad" if fault else "good", f"at byte {cut}: {fault}" if fault else "")
        shutil.rmtree(copy)
    return tally


def _fault(action: Action, folder: Path, wanted: Any) -> str:
    try:
        danlu.resume(folder, **QUIET)
        with Journal(folder / "journal.jsonl"):
            pass  # nobody holds it any more
        found = action.end(folder)
    except Exception as error:  # noqa: BLE001  (what it may be is what is looked for)
        return f"{type(error).__name__}: {error}"
    return "" if found == wanted else f"ends with {str(found)[:200]}"
