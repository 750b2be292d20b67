"""The runs and studies under one folder. What a reader asks for is looked up here, never joined to a path."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu.serve.summary import Summarizer, Summary, is_recent, study_state
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.store.turns import turn

_DEEPEST = 4
# Spent on counting findings while the first list is made, which is wanted at once, and while each of the next ones is.
_FIRST_SEARCH_SECONDS, _SEARCH_SECONDS = 0.05, 0.2
_STUDY = StudyFolder(Path()).design.name


@dataclass(frozen=True)
class IndexEntry:
    """A run or a study in the index; `name` is its path from the folder that is shown, `id` what the page calls it."""

    id: str
    name: str
    path: Path
    kind: str  # run, study
    summary: Summary
    turn: int = 0  # the greater, the later it was begun or gone on with


class Index:
    """Everything under `folders` that are inside `base`, at most four folders deep. Links are not followed: nothing
    outside is ever shown."""

    def __init__(self, base: Path, folders: Sequence[str] = ("",)) -> None:
        self.folder = base.resolve()
        self._roots = [self.folder / name for name in folders]
        self._summarizers: dict[Path, Summarizer] = {}
        self._known: dict[str, tuple[Path, str]] = {}

    def entries(self) -> list[IndexEntry]:
        """All of them by now, those first that were begun or gone on with last."""
        until = time.monotonic() + (_SEARCH_SECONDS if self._known else _FIRST_SEARCH_SECONDS)
        walked = [pair for root in self._roots if root.resolve() == root for pair in self._walk(root, _DEEPEST)]
        found = [self._entry(path, kind, until) for path, kind in walked]
        paths = {entry.path for entry in found}
        self._summarizers = {path: summarizer for path, summarizer in self._summarizers.items() if path in paths}
        self._known = {entry.id: (entry.path, entry.kind) for entry in found}
        return sorted(found, key=lambda entry: (-entry.turn, entry.name))

    def find(self, id: str) -> IndexEntry | None:
        """The entry with that id; None where there is none by now."""
        if id not in self._known:
            self.entries()
        path, kind = self._known.get(id, (self.folder, ""))
        # What was a folder when it was listed may be a link by now.
        if not kind or path.resolve() != path or not path.is_dir():
            return None
        return self._entry(path, kind, until=0.0)

    def _walk(self, folder: Path, depth: int) -> Iterator[tuple[Path, str]]:
        try:
            with os.scandir(folder) as listing:
                inside = list(listing)
        except OSError:
            if folder not in self._roots:
                yield folder, "unreadable"
            return
        names = {entry.name for entry in inside}
        place = RunFolder(folder)
        if {place.recipe.name, place.journal.name} <= names:
            yield folder, "run"
            return
        if _STUDY in names:
            yield folder, "study"
        if depth:
            for entry in inside:
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "__")):
                    yield from self._walk(Path(entry.path), depth - 1)

    def _entry(self, path: Path, kind: str, until: float) -> IndexEntry:
        name = path.relative_to(self.folder).as_posix() if path != self.folder else path.name
        id = hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=8).hexdigest()
        name = name.encode(errors="replace").decode()
        if kind != "run":
            kind, summary = "study" if kind == "study" else "run", _summary_of_folder(path, kind)
            return IndexEntry(id, name, path, kind, summary, turn(StudyFolder(path).design))
        place = RunFolder(path)
        journal, recipe = _facts(place.journal), _facts(place.recipe)
        if not (journal and recipe and stat.S_ISREG(journal.st_mode) and stat.S_ISREG(recipe.st_mode)):
            return IndexEntry(id, name, path, "run", Summary(state="unreadable"))
        summarizer = self._summarizers.setdefault(path, Summarizer(place.journal, place.recipe))
        summary = summarizer.look(journal.st_size, journal.st_mtime_ns)
        summarizer.search(journal.st_size, until)
        return IndexEntry(id, name, path, "run", summary, recipe.st_mtime_ns)


def _summary_of_folder(path: Path, kind: str) -> Summary:
    """A study, or a folder that may not be read: its state, and when it changed last, is all that the list tells."""
    journal = _facts(StudyFolder(path).journal)
    facts = journal or _facts(path)
    changed = facts.st_mtime if facts else 0.0
    if kind == "unreadable":
        return Summary(state="unreadable", changed=changed)
    regular = journal is not None and stat.S_ISREG(journal.st_mode)
    state = study_state(StudyFolder(path).journal, journal.st_size) if journal and regular else "stopped"
    if state == "stopped" and is_recent(changed):
        state = "running"
    return Summary(state=state, changed=changed)


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
