"""What the list tells of a study: its design, and the end of its journal."""

import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.serve.summary import Summary, backwards, end_of, is_recent
from danlu.store.records import BestChosen, NothingFound, StudyBegan
from danlu.store.run_folder import text_of
from danlu.store.study_folder import StudyFolder
from danlu.view.info.run import flat, json_object

_TAIL = 2**16


class StudySummarizer:
    """Looks at one study, and again only where its journal or its design has changed."""

    def __init__(self, folder: Path) -> None:
        self._place = StudyFolder(folder)
        self._seen: tuple[float, int, int] | None = None
        self._summary = Summary()

    def look(self) -> Summary:
        """The study by now: its best combination's scores on the validation part."""
        journal, design = plain_facts(self._place.journal), plain_facts(self._place.design)
        facts = journal or _facts(self._place.path)
        changed = facts.st_mtime if facts else 0.0
        seen = (changed, journal.st_size if journal else -1, design.st_mtime_ns if design else 0)
        if seen != self._seen:
            self._seen = seen
            told = json_object(text_of(self._place.design)) if design else {}
            members = _planned(told)
            self._summary = Summary(
                settings=_settings(told), changed=changed, rules=(), part="validation", members=members,
                cured=_cured(told), search="search" in told,
            )  # fmt: skip
            self._read_end(journal.st_size if journal else 0)
        if self._summary.state in ("running", "stopped"):
            self._summary.state = "running" if is_recent(changed) else "stopped"
        return self._summary

    def _read_end(self, size: int) -> None:
        tail = end_of(self._place.journal, size, _TAIL) if size else b""
        if tail is None:
            self._summary.state = "unreadable"
            return
        ends = (record for record in backwards(tail) if isinstance(record, StudyBegan | BestChosen | NothingFound))
        newest = next(ends, None)
        if isinstance(newest, BestChosen | NothingFound):
            self._summary.state = "finished"
        if isinstance(newest, BestChosen):
            self._summary.score = newest.validation
            self._summary.scores = {"validation": newest.validation}


def _settings(design: Mapping[str, Any]) -> dict[str, Any]:
    """Its recipe, with all levels of what it varies in place of one."""
    try:
        settings = flat(design["recipe"])
        searched: Any = design.get("search", {}).get("ranges", ())
        ranges = {str(one["key"]): f"{one['low']}..{one['high']}" for one in searched}
        levels = {str(key): tuple(values) for key, values in design["factors"].items()}
    except (KeyError, TypeError, AttributeError):
        return {}
    return settings | levels | ranges


def _planned(design: Mapping[str, Any]) -> int:
    """How many trainings a comparison has; 0 for a search, which finds out."""
    try:
        cells = math.prod(len(levels) for levels in design["factors"].values())
        return 0 if "search" in design else cells * len(design["seeds"]) * int(design.get("folds") or 1)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return 0


def _cured(design: Mapping[str, Any]) -> str:
    """The folder of the run whose remedies it tries; "" where it tries none."""
    try:
        return str(design["cure"]["run"])
    except (KeyError, TypeError):
        return ""


def plain_facts(path: Path) -> Any:
    """What the system says of an ordinary file; None for a link, a pipe, and where there is none."""
    facts = _facts(path)
    return facts if facts is not None and stat.S_ISREG(facts.st_mode) else None


def _facts(path: Path) -> Any:
    try:
        return path.lstat()
    except OSError:
        return None
