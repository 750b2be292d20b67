"""What the page is told: runs and studies read from the index and put into charts, each once however many ask."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from danlu.base.errors import DanluError, fail
from danlu.base.records import Score
from danlu.base.strict_json import to_json
from danlu.base.words import say, speaking
from danlu.serve.facts import facts_of, members_of
from danlu.serve.index import Index, IndexEntry, plain_file
from danlu.store.replay import LiveReplay
from danlu.store.run_folder import RunFolder
from danlu.store.run_folder import text_of as _text
from danlu.store.run_history import RunHistory, RunReplay
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory, StudyReplay
from danlu.store.where.complete import completions
from danlu.store.where.names import FactNames
from danlu.view.curves_page import POINTS, curves_page
from danlu.view.dashboard import compare_page, run_page, study_page
from danlu.view.figures.pages import net_scene
from danlu.view.graphs.svg import to_svg
from danlu.view.info.curves import CurveQuery
from danlu.view.info.run import RunInfo, json_object, run_info
from danlu.view.info.study import StudyInfo, study_info
from danlu.view.listing.page import list_page
from danlu.view.listing.query import ListQuery
from danlu.view.listing.table import select
from danlu.view.moments_page import moment_page

_MOST_HELD = 12  # histories of runs that were looked at last
_MOST_STEPS_HELD = 400_000  # in all of them together
_MOST_STUDIES_HELD = 4
_MOST_ANSWERS = 40
_MOST_READ = 2**23  # bytes of a journal for one answer: the rest comes with the next ones
_ALL = ListQuery()
_LONG_AGO = -math.inf
_Rows = list[dict[str, Any]]
_Listed = tuple[str, _Rows, FactNames, int]  # version, facts, their names, how many are not read yet
_SHORTEST = 0.5  # seconds between two readings of the same run, however many ask


class Api:
    """Answers as JSON. Every method may be called from several threads at once; each answer is made by one of them, and
    one that takes long keeps nobody waiting who asks for another."""

    def __init__(self, index: Index, *, writable: bool = False) -> None:
        self.index = index
        self.writable = writable
        self._rows: _Listed = ("", [], FactNames(()), 0)
        self._lock = threading.RLock()  # over what all answers share; never held while one is made
        self._making: dict[tuple[str, ...], threading.Lock] = {}
        self._reading: dict[Path, threading.Lock] = {}
        self._live: OrderedDict[Path, LiveReplay[RunHistory]] = OrderedDict()
        self._studies: OrderedDict[Path, LiveReplay[StudyHistory]] = OrderedDict()
        self._steps: dict[Path, int] = {}
        self._answers: OrderedDict[tuple[str, ...], tuple[float, str, bytes]] = OrderedDict()

    def list(self, language: str, have: str, query: ListQuery = _ALL) -> bytes | None:
        """The runs and studies that `query` picks; None where the reader has them as they are: `have` is the version
        of what it has."""

        def make() -> tuple[str, Callable[[], dict[str, Any]]]:
            version, listed, names, unread = self._listed()

            def page() -> dict[str, Any]:
                rows = [*listed, *self._members(listed, query.opened)]
                selection = select(rows, query, names)
                folder = str(self.index.folder)
                return list_page(selection, rows, query, folder=folder, unread=unread, writable=self.writable)

            return version, page

        return self._answer(("list", language, repr(query)), language, have, make)

    def complete(self, expression: str, at: int) -> bytes:
        """What can stand at the place `at` of a filter: where it begins, and the words."""
        _, rows, names, _ = self._listed()
        start, words = completions(expression, at, names, rows)
        return to_json({"from": start, "words": words}).encode()

    def _listed(self) -> _Listed:
        """The version of all that can be listed, its facts, the names of these, and how many are not read yet; the same
        objects as long as nothing changes."""
        with self._lock:
            entries = self.index.entries()
            unread = self.index.unread
            seen = (
                (one.id, one.summary.changed, one.summary.state, one.summary.rules, one.turn, one.notes)
                for one in entries
            )
            version = str(hash((tuple(seen), unread)))
            if version != self._rows[0]:
                rows = facts_of(entries)
                self._rows = version, rows, FactNames(rows), unread
            return self._rows

    def run(self, id: str, language: str, have: str) -> bytes | None:
        """One run with all its pictures. KeyError where there is none."""

        def make() -> tuple[str, Callable[[], dict[str, Any]]]:
            entry = self._entry(id)
            with self._lock:
                cures = [[one.id, one.notes.title or one.name] for one in self.index.cures_of(entry)]
            seen = (entry.summary.changed, entry.summary.state, entry.summary.findings, hash(entry.notes), cures)
            version = "-".join(map(str, seen))
            return version, lambda: self._noted(entry) | self._run_page(entry) | {"cures": cures}

        return self._answer(("run", id, language), language, have, make)

    def study(self, id: str, language: str, have: str) -> bytes | None:
        """One study as far as it is. KeyError where there is none."""

        def make() -> tuple[str, Callable[[], dict[str, Any]]]:
            entry = self._entry(id, "study")
            version = f"{entry.summary.changed}-{entry.summary.state}-{hash(entry.notes)}"
            return version, lambda: self._noted(entry) | self._study_page(entry)

        return self._answer(("study", id, language), language, have, make)

    def _noted(self, entry: IndexEntry) -> dict[str, Any]:
        return {"id": entry.id, "notes": asdict(entry.notes), "writable": self.writable}

    def net(self, id: str, language: str) -> bytes:
        """The drawing of a run's net as SVG. KeyError where there is none."""
        info = self._info(self._entry(id))
        with speaking(language):
            scene = net_scene(info)
        if scene is None:
            raise KeyError(id)
        return to_svg(scene).encode()

    def moment(self, id: str, number: int, language: str) -> bytes:
        """What a run's net was like at one of its moments. KeyError where there is no such run or moment."""
        info = self._info(self._entry(id))
        with speaking(language):
            return to_json(moment_page(info, number)).encode()

    def compare(self, ids: tuple[str, ...], language: str, have: str) -> bytes | None:
        """Several runs side by side. KeyError where one of them is none."""

        def make() -> tuple[str, Callable[[], dict[str, Any]]]:
            entries = [self._entry(id) for id in ids]
            version = "-".join(f"{entry.summary.changed}{entry.summary.state}" for entry in entries)
            return version, lambda: compare_page([self._info(entry) for entry in entries])

        return self._answer(("compare", *ids, language), language, have, make)

    def curves(
        self, ids: tuple[str, ...], wanted: CurveQuery, banded: bool | None, language: str, have: str
    ) -> bytes | None:
        """The curves of runs as a reader wants to see them. KeyError where one of them is none."""

        def make() -> tuple[str, Callable[[], dict[str, Any]]]:
            entries = [self._entry(id) for id in ids]
            version = "-".join(f"{entry.summary.changed}{entry.summary.state}" for entry in entries)
            return version, lambda: curves_page([self._info(entry) for entry in entries], wanted, banded)

        if wanted.most > POINTS:  # all of them, for a file: too much to be kept
            with speaking(language):
                return to_json(_told(make()[1])).encode()
        return self._answer(("curves", *ids, repr(wanted), str(banded), language), language, have, make)

    def forget(self) -> None:
        """Make every answer anew: something was written."""
        with self._lock:
            for key, (_, version, content) in self._answers.items():
                self._answers[key] = (_LONG_AGO, version, content)

    def _answer(
        self,
        key: tuple[str, ...],
        language: str,
        have: str,
        make: Callable[[], tuple[str, Callable[[], dict[str, Any]]]],
    ) -> bytes | None:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:  # whoever asks for the same waits, and is answered by the same; who asks for another does not
            with self._lock:
                made_at, version, content = self._answers.get(key, (_LONG_AGO, "", b""))
            if time.monotonic() - made_at > _SHORTEST:
                newest, build = make()
                if newest != version:
                    with speaking(language):
                        page = _told(build)
                    behind = page.get("behind")  # a version of its own, so that the reader asks for the rest
                    version = f"{newest}-{behind}" if behind else newest
                    content = to_json({"version": version, **page}).encode()
                self._keep(key, version, content)
            return None if have and have == version else content

    def _keep(self, key: tuple[str, ...], version: str, content: bytes) -> None:
        with self._lock:
            self._answers[key] = (time.monotonic(), version, content)
            self._answers.move_to_end(key)
            while len(self._answers) > _MOST_ANSWERS:
                gone, _ = self._answers.popitem(last=False)
                self._making.pop(gone, None)

    def _run_page(self, entry: IndexEntry) -> dict[str, Any]:
        info = self._info(entry)
        with self._lock:
            live = self._live.get(entry.path)
        return _with_notes(run_page(info), live.behind if live else 0, info.history)

    def _members(self, listed: Sequence[Mapping[str, Any]], opened: Sequence[str]) -> _Rows:
        """The trainings in the journals of the studies that are unfolded."""
        found: _Rows = []
        for row in listed:
            if row["type"] == "study" and row["_id"] in opened:
                history, _ = self._study_history(self._entry(row["_id"], "study"))
                found += members_of(row, history)
        return found

    def _study_page(self, entry: IndexEntry) -> dict[str, Any]:
        history, behind = self._study_history(entry)
        best = self._best_run(entry, history)
        test = dict(best.summary.scores.get("test", {})) if best else {}
        page = _with_notes(study_page(_study(entry, history, test)), behind, history)
        with self._lock:
            run = self.index.at(Path(entry.summary.cured)) if entry.summary.cured else None
        told = {"run": run.id, "run_name": run.notes.title or run.name} if run else {}
        return page | told | {"best_run": best.id if best else ""}

    def _best_run(self, entry: IndexEntry, history: StudyHistory) -> IndexEntry | None:
        """The run that trained the best combination once more, where it is there."""
        name = history.best.run if history.best and history.finished else ""
        with self._lock:
            return self.index.inside(entry, name) if name else None

    def _study_history(self, entry: IndexEntry) -> tuple[StudyHistory, int]:
        """What the journal of a study tells, and how many bytes of it are not read yet."""
        place = StudyFolder(entry.path)
        with self._lock:
            live = self._studies.setdefault(entry.path, LiveReplay(place.journal, StudyReplay))
            self._studies.move_to_end(entry.path)
            while len(self._studies) > _MOST_STUDIES_HELD:
                gone, _ = self._studies.popitem(last=False)
                self._reading.pop(gone, None)
            reading = self._reading.setdefault(entry.path, threading.Lock())
        if not plain_file(place.journal):
            live = LiveReplay(place.path / "nothing", StudyReplay)
        with reading:
            return live.update(_MOST_READ), live.behind

    def _entry(self, id: str, kind: str = "run") -> IndexEntry:
        with self._lock:
            entry = self.index.find(id)
        if entry is None or entry.kind != kind:
            raise KeyError(id)
        return entry

    def _info(self, entry: IndexEntry) -> RunInfo:
        place = RunFolder(entry.path)
        with self._lock:
            live = self._live.setdefault(entry.path, LiveReplay(place.journal, RunReplay))
            self._live.move_to_end(entry.path)
            reading = self._reading.setdefault(entry.path, threading.Lock())
        if entry.summary.state == "unreadable" or not plain_file(place.journal):
            live = LiveReplay(place.path / "nothing", RunReplay)
        with reading:
            history = live.update(_MOST_READ)
        with self._lock:
            self._steps[entry.path] = len(history.steps)
            while len(self._live) > 1 and (len(self._live) > _MOST_HELD or self._held() > _MOST_STEPS_HELD):
                gone, _ = self._live.popitem(last=False)
                self._steps.pop(gone, None)
                self._reading.pop(gone, None)
        texts = {"recipe": text_of(place.recipe), "environment": text_of(place.environment)}
        return run_info(entry.name, history, **texts, where=str(entry.path), state=entry.summary.state)

    def _held(self) -> int:
        return sum(self._steps.get(path, 0) for path in self._live)


def _with_notes(page: dict[str, Any], behind: int, history: RunHistory | StudyHistory) -> dict[str, Any]:
    """The page, and what is to be said of its journal: how much of it is not read yet, how many lines say nothing, or
    nothing that this danlu knows."""
    notes = [say("page.behind", megabytes=f"{behind / 2**20:,.0f}")] if behind else []
    notes += [say("page.skipped", count=f"{history.skipped:,}")] if history.skipped else []
    notes += [say("page.unknown", count=f"{history.unknown:,}")] if history.unknown else []
    told = {**page, "done": " · ".join([page["done"], *notes])}
    return told | {"behind": behind} if behind else told


def _study(entry: IndexEntry, history: StudyHistory, test: Score) -> StudyInfo:
    place = StudyFolder(entry.path)
    design = json_object(text_of(place.design))
    told: dict[str, Any] = {"recipe": text_of(place.best), "where": str(entry.path), "state": entry.summary.state}
    try:
        return study_info(entry.name, design, history, test=test, **told)
    except DanluError:
        raise
    except Exception:  # noqa: BLE001  (whatever stands in the two files, the page says so)
        fail("serve.odd-study", path=place.design)


def _told(build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The page, or the sentence that says why there is none: whatever stands in a folder."""
    try:
        return build()
    except DanluError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001  (a folder may hold anything)
        return {"error": say("serve.odd-folder", kind=type(error).__name__, reason=error)}


def text_of(path: Path) -> str:
    """The beginning of an ordinary file; "" where it is none, or cannot be read."""
    return _text(path) if plain_file(path) else ""
