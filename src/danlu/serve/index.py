"""The runs and studies under one folder. What a reader asks for is looked up here, never joined to a path."""

import hashlib
import math
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from danlu.serve.study_summary import StudySummarizer
from danlu.serve.summary import Summarizer, Summary
from danlu.store import notes as notes_file
from danlu.store.notes import NO_NOTES, Notes
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.store.turns import turn

_DEEPEST = 4
# Spent on counting findings while the first list is made, which is wanted at once, and while each of the next ones is.
_FIRST_SEARCH_SECONDS, _SEARCH_SECONDS = 0.05, 0.2
_LOOK_SECONDS = 0.6  # spent on the ends of journals for one list: what is left over comes with the next ones
_AT_LEAST = 300  # looked at, however long that takes
_STUDY = StudyFolder(Path()).design.name
_RUN = {RunFolder(Path()).recipe.name, RunFolder(Path()).journal.name}


@dataclass(frozen=True)
class IndexEntry:
    """A run or a study in the index; `name` is its path from the folder that is shown, `id` what the page calls it."""

    id: str
    name: str
    path: Path
    kind: str  # run, study
    summary: Summary
    turn: int = 0  # the greater, the later it was begun or gone on with
    study: str = ""  # the id of the study that it is part of
    notes: Notes = NO_NOTES


@dataclass(frozen=True)
class _Found:
    """A folder that is a run or a study, or cannot be read; whether it has notes, and the study that it lies in."""

    path: Path
    kind: str  # run, study, unreadable
    noted: bool = False
    study: Path | None = None


class Index:
    """Everything under `folders` that are inside `base`, at most four folders deep. Links are not followed: nothing
    outside is ever shown."""

    def __init__(self, base: Path, folders: Sequence[str] = ("",)) -> None:
        self.folder = base.resolve()
        self.roots = [self.folder / name for name in folders]
        self.unread = 0  # entries of the last list whose journals have not been looked at
        self._summarizers: dict[Path, Summarizer] = {}
        self._studies: dict[Path, StudySummarizer] = {}
        self._notes: dict[Path, tuple[int, Notes]] = {}
        self._known: dict[str, _Found] = {}

    def entries(self, *, whole: bool = False) -> list[IndexEntry]:
        """All of them by now, those first that were begun or gone on with last; `whole` takes all the time it needs to
        read their journals."""
        now = time.monotonic()
        search = math.inf if whole else now + (_SEARCH_SECONDS if self._known else _FIRST_SEARCH_SECONDS)
        walked = [found for root in self.roots if root.resolve() == root for found in self._walk(root, _DEEPEST)]
        turns = [(-turn(_sign(found)), found.path, found) for found in walked]
        turns.sort(key=lambda one: one[:2])
        until = math.inf if whole else time.monotonic() + _LOOK_SECONDS
        self.unread = 0
        listed = [
            self._entry(found, -negative, search, math.inf if number < _AT_LEAST else until)
            for number, (negative, _, found) in enumerate(turns)
        ]
        paths = {entry.path for entry in listed}
        self._summarizers = {path: one for path, one in self._summarizers.items() if path in paths}
        self._studies = {path: one for path, one in self._studies.items() if path in paths}
        self._notes = {path: one for path, one in self._notes.items() if path in paths}
        self._known = {entry.id: found for entry, (_, _, found) in zip(listed, turns, strict=True)}
        return listed

    def find(self, id: str) -> IndexEntry | None:
        """The entry with that id; None where there is none by now."""
        if id not in self._known:
            self.entries()
        found = self._known.get(id)
        # What was a folder when it was listed may be a link by now.
        if found is None or found.path.resolve() != found.path or not found.path.is_dir():
            return None
        return self._entry(replace(found, noted=True), turn(_sign(found)), 0.0, math.inf)

    def inside(self, entry: IndexEntry, name: str) -> IndexEntry | None:
        """The run of that name in the folder of a study; None where there is none. `name` comes from a journal."""
        path = entry.path / name
        return self.find(_id_of(self.name_of(path))) if path.parent == entry.path else None

    def at(self, path: Path) -> IndexEntry | None:
        """The entry whose folder is `path`, which comes from a study's design; None where there is none."""
        return self.find(_id_of(self.name_of(path))) if path.is_relative_to(self.folder) else None

    def cures_of(self, run: IndexEntry) -> list[IndexEntry]:
        """The studies that try the remedies of a run."""
        studies = [self.find(id) for id, found in list(self._known.items()) if found.kind == "study"]
        return [one for one in studies if one is not None and one.summary.cured == str(run.path)]

    def _walk(self, folder: Path, depth: int, study: Path | None = None) -> Iterator[_Found]:
        try:
            with os.scandir(folder) as listing:
                inside = list(listing)
        except OSError:
            if folder not in self.roots:
                yield _Found(folder, "unreadable", study=study)
            return
        names = {entry.name for entry in inside}
        noted = notes_file.NAME in names
        if names >= _RUN:
            yield _Found(folder, "run", noted, study)
            return
        if _STUDY in names:
            yield _Found(folder, "study", noted, study)
            study = study or folder
        if depth:
            for entry in inside:
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "__")):
                    yield from self._walk(Path(entry.path), depth - 1, study)

    def _entry(self, found: _Found, place: int, search: float, until: float) -> IndexEntry:
        path = found.path
        name = self.name_of(path)
        kind = "study" if found.kind == "study" else "run"
        summary = self._summary(found, search, until)
        study = "" if found.study is None else _id_of(self.name_of(found.study))
        told = name.encode(errors="replace").decode()
        return IndexEntry(_id_of(name), told, path, kind, summary, place, study, self._noted(found))

    def name_of(self, path: Path) -> str:
        """The path of a run or a study from the folder that is shown."""
        return path.relative_to(self.folder).as_posix() if path != self.folder else path.name

    def _summary(self, found: _Found, search: float, until: float) -> Summary:
        if found.kind == "unreadable":
            return Summary(state="unreadable")
        late = time.monotonic() > until
        if found.kind == "study":
            if late and found.path not in self._studies:
                return self._not_yet()
            return self._studies.setdefault(found.path, StudySummarizer(found.path)).look()
        if late and found.path not in self._summarizers:
            return self._not_yet()
        place = RunFolder(found.path)
        journal = _facts(place.journal)
        if not (journal and stat.S_ISREG(journal.st_mode) and plain_file(place.recipe)):
            return Summary(state="unreadable")
        summarizer = self._summarizers.setdefault(found.path, Summarizer(place.journal, place.recipe))
        summary = summarizer.look(journal.st_size, journal.st_mtime_ns)
        summarizer.search(journal.st_size, search)
        return summary

    def _not_yet(self) -> Summary:
        self.unread += 1
        return Summary(state="unread")

    def _noted(self, found: _Found) -> Notes:
        facts = _facts(found.path / notes_file.NAME) if found.noted else None
        if facts is None:
            return NO_NOTES
        known = self._notes.get(found.path)
        if known is None or known[0] != facts.st_mtime_ns:
            known = self._notes[found.path] = facts.st_mtime_ns, Notes.read(found.path)
        return known[1]


def _id_of(name: str) -> str:
    return hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=8).hexdigest()


def _sign(found: _Found) -> Path:
    """The file that makes a folder a run or a study, whose time stamp is its turn."""
    return StudyFolder(found.path).design if found.kind == "study" else RunFolder(found.path).recipe


def _facts(path: Path) -> os.stat_result | None:
    """What the system says of a file itself, not of what it may link to."""
    try:
        return path.lstat()
    except OSError:
        return None


def plain_file(path: Path) -> bool:
    """Whether `path` is an ordinary file: no link out of the folder, no pipe that would never end."""
    facts = _facts(path)
    return facts is not None and stat.S_ISREG(facts.st_mode)
