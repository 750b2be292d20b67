"""What a notifier is told of a run or a study, and when: at the first grave finding, at a crash, at the end."""

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from danlu.base.errors import DanluError
from danlu.base.records import Finding
from danlu.base.redacted import redacted
from danlu.base.words import say
from danlu.run.listeners.notify import Note, Notifier, Postbox
from danlu.store.records import FindingAppeared, Record
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.view.info.ending import diverged_at
from danlu.view.reporter import main_score

_LONGEST = 1000  # characters of an error
Facts = Callable[[], dict[str, Any]]
_PARTS = ("test", "validation", "train")


class Notices:
    """Messages on one run or study, `what` it is and what its `folder` is called; `facts` reads what it came to."""

    def __init__(self, postbox: Postbox, what: str, folder: Path, facts: Facts) -> None:
        self._postbox, self._facts = postbox, facts
        self._subject = {"what": what, "name": folder.name, "folder": str(folder)}
        self._found = False

    def hear(self, record: Record) -> None:
        """Hears every record of the journal but steps; the first finding of severity "error" is told."""
        if isinstance(record, FindingAppeared) and record.finding.severity == "error" and not self._found:
            self._found = True
            self._tell_finding(record.finding)

    def _tell_finding(self, finding: Finding) -> None:
        text = say("notify.finding", name=self._subject["name"], title=finding.title, why=finding.why)
        self._put("finding", "running", text, finding=finding.as_dict())

    def ended(self) -> None:
        """It has come to its end by itself."""
        facts = self._facts()
        text = say(f"notify.ended-{facts['state']}", name=self._subject["name"], score=facts.pop("shown"))
        self._put("end", facts.pop("state"), text, **facts)

    def stopped(self, error: BaseException) -> None:
        """It ended before its time, by `error` or because it was interrupted."""
        if isinstance(error, KeyboardInterrupt):
            self._put("end", "interrupted", say("notify.interrupted", name=self._subject["name"]))
            return
        words = str(error) if isinstance(error, DanluError) else f"{type(error).__name__}: {error}"
        words = redacted(words)[:_LONGEST]
        self._put("crash", "failed", say("notify.crash", name=self._subject["name"], error=words), error=words)

    def _put(self, event: str, state: str, text: str, **more: Any) -> None:
        self._postbox.put({"event": event, "state": state, **self._subject, "text": text, **more})


@contextlib.contextmanager
def notices_of_run(notifier: Notifier | None, place: RunFolder, note: Note) -> Generator[Callable[[Record], None]]:
    """Around a training that has begun: the notifier is told of it. What comes back hears the records that matter."""
    with _told(notifier, "run", place, lambda: _run_facts(place), note) as hear:
        yield hear


@contextlib.contextmanager
def notices_of_study(notifier: Notifier | None, place: StudyFolder, note: Note) -> Generator[None]:
    """Around the work on a study or a search that has begun: the notifier is told of it."""
    with _told(notifier, "search" if place.is_search else "study", place, lambda: _study_facts(place), note):
        yield


@contextlib.contextmanager
def _told(
    notifier: Notifier | None, what: str, place: RunFolder | StudyFolder, facts: Facts, note: Note
) -> Generator[Callable[[Record], None]]:
    if notifier is None:
        yield lambda record: None
        return
    postbox = Postbox(notifier, note)
    notices = Notices(postbox, what, place.path, facts)
    try:
        yield notices.hear
    except BaseException as error:
        notices.stopped(error)
        raise
    else:
        with contextlib.suppress(DanluError):  # the folder is gone: whoever trains there is told
            notices.ended()
    finally:
        postbox.close()


def _run_facts(place: RunFolder) -> dict[str, Any]:
    history = RunHistory.read(place.journal)
    state = "early" if history.reason == "early" else "finished"
    if diverged_at(history.steps, history.loss, history.score) is not None:
        state = "diverged"
    score = next((history.score[part] for part in _PARTS if part in history.score), {})
    return {
        "state": state,
        "epochs": len(history.epochs),
        "steps": history.steps[-1] if history.steps else 0,
        "seconds": round(history.loading + history.seconds, 3),
        "score": history.score,
        "findings": [finding.rule for finding in history.findings],
        "shown": main_score(score) if score else "",
    }


def _study_facts(place: StudyFolder) -> dict[str, Any]:
    history = StudyHistory.read(place.journal)
    best = history.best
    return {
        "state": "finished",
        "trainings": len(history.members),
        "failed": len(history.failed),
        "seconds": round(history.loading + history.seconds, 3),
        "best": {} if best is None else {"factors": dict(best.factors), "validation": best.validation},
        "shown": main_score(best.validation) if best is not None and best.validation else "",
    }
