"""What the list tells of a run, from the two ends of its journal: a thousand runs are looked at in a second."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from danlu.base.records import Score, held_out_is_finite
from danlu.base.strict_json import number
from danlu.store.journal import record_of

_TAILS = (2**16, 2**21)
_CHUNK = 2**20
_ALIVE_SECONDS = 30.0
_TELLING = re.compile(rb'^\{"kind": "(?:findings?|resume|start)".*$', re.MULTILINE)
_LISTED = {"net.name", "net.class", "data.name", "data.path", "optim.name", "optim.lr"}
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass
class Glance:
    """One run as the list shows it. `findings` is None as long as its journal has not been read through."""

    state: str = "stopped"  # finished, diverged, running, stopped, unreadable
    steps: int = 0
    epochs: int = 0
    seconds: float = 0.0
    score: dict[str, float] = field(default_factory=dict[str, float])
    part: str = ""  # of the data that the score is on
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    changed: float = 0.0
    findings: int | None = None


class Glancer:
    """Looks at one run folder, and again only where its journal has grown."""

    def __init__(self, journal: Path, recipe: Path) -> None:
        self._journal = journal
        self._recipe = recipe
        self._seen: tuple[int, int] | None = None
        self._glance = Glance()
        self._grew_at = -_ALIVE_SECONDS  # by a clock that nobody sets
        self._read = 0  # bytes of the journal searched for findings
        self._rest = b""
        self._told: dict[str, int] = {}  # the rules that found something, and since when

    def look(self, size: int, changed_ns: int) -> Glance:
        """The run by now; `size` and `changed_ns` are those of its journal."""
        if (size, changed_ns) != self._seen:
            if self._seen:
                self._grew_at = time.monotonic()
            if self._seen and size < self._seen[0]:
                self._read, self._rest, self._told = 0, b"", {}
            settings = self._glance.settings or quick_settings(_text(self._recipe))
            self._glance = Glance(settings=settings, changed=changed_ns / 1e9, findings=self._glance.findings)
            for length in _TAILS:
                tail = _end_of(self._journal, size, length)
                if tail is None:
                    return Glance(state="unreadable", changed=changed_ns / 1e9)
                if _understand(self._glance, tail):
                    break
            self._seen = (size, changed_ns)
        if self._glance.state in ("running", "stopped"):
            alive = is_recent(changed_ns / 1e9) or time.monotonic() - self._grew_at < _ALIVE_SECONDS
            self._glance.state = "running" if alive and not self._stopped else "stopped"
        return self._glance

    @property
    def _stopped(self) -> bool:
        return self._glance.part == "stop"

    def search(self, size: int, until: float) -> None:
        """Count the findings in what the journal has grown by, as far as that goes before the clock reaches `until`."""
        try:
            with self._journal.open("rb") as file:
                file.seek(self._read)
                while self._read < size:
                    if time.monotonic() > until:
                        return
                    chunk = file.read(_CHUNK)
                    if not chunk:
                        break
                    self._read += len(chunk)
                    self._count(chunk)
        except OSError:
            return
        self._glance.findings = len(self._told)

    def _count(self, chunk: bytes) -> None:
        text = self._rest + chunk
        whole, _, rest = text.rpartition(b"\n")
        # No finding is a megabyte long: the rest of such a line is of no interest.
        self._rest = rest if len(rest) < _CHUNK else b""
        for match in _TELLING.finditer(whole):
            record = _record(match.group())
            try:
                if record.get("kind") == "finding":
                    self._told[str(record["rule"])] = int(record["since"])
                elif record.get("kind") == "findings":
                    self._told = {str(one["rule"]): int(one["since"]) for one in record["findings"]}
                elif record:
                    step = int(record.get("step", 0))
                    self._told = {key: since for key, since in self._told.items() if since <= step}
            except _MALFORMED:
                continue


def is_recent(changed: float) -> bool:
    """Whether a file that was changed at that time may still be written to. One from the future is as old as one from
    the past: the clock was set back since.
    """
    return abs(time.time() - changed) < _ALIVE_SECONDS


def study_state(journal: Path, size: int) -> str:
    """A study that has chosen its best is "finished", another "stopped"; "unreadable" where it may not be read."""
    tail = _end_of(journal, size, _TAILS[0])
    if tail is None:
        return "unreadable"
    newest = next((str(record["kind"]) for record in _backwards(tail) if record.get("kind") in ("begin", "best")), "")
    return "finished" if newest == "best" else "stopped"


def _understand(glance: Glance, tail: bytes) -> bool:
    """Take from the journal's end what it says of the run; False where no whole record is in it."""
    found = False
    for record in _backwards(tail):
        found = True
        try:
            match record.get("kind"):
                case "end":
                    scores = record["score"]
                    part = next((name for name in ("test", "validation", "train") if scores.get(name)), "")
                    glance.score = {name: number(value) for name, value in scores.get(part, {}).items()}
                    gone = record.get("diverged") or not held_out_is_finite(_scores(scores))
                    glance.part, glance.state = part, "diverged" if gone else "finished"
                    glance.steps, glance.epochs = int(record["step"]), int(record["epochs"])
                    glance.seconds = number(record["seconds"])
                    return True
                case "stop":
                    glance.part = glance.part or "stop"
                    glance.steps = glance.steps or int(record["step"])
                case "steps":
                    glance.steps = glance.steps or int(record["first"]) + len(record["loss"]) - 1
                case "epoch":
                    glance.steps = glance.steps or int(record["step"])
                    glance.epochs = glance.epochs or int(record["epoch"])
                    if not glance.score and record.get("validation"):
                        glance.score = {name: number(value) for name, value in record["validation"].items()}
                    return True
                case _:
                    pass
        except _MALFORMED:
            continue
    return found


def _scores(parts: Mapping[str, Any]) -> dict[str, Score]:
    return {part: {name: number(value) for name, value in score.items()} for part, score in parts.items() if score}


def _backwards(tail: bytes) -> Iterator[Mapping[str, Any]]:
    """The records of a piece of journal, the newest first; a line cut off at its beginning is none."""
    for line in reversed(tail.split(b"\n")):
        record = _record(line)
        if record:
            yield record


def _record(line: bytes) -> Mapping[str, Any]:
    return record_of(line) or {}


def _end_of(path: Path, size: int, length: int) -> bytes | None:
    """The last bytes of a file; None where it may not be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, size - length))
            return file.read(length)
    except OSError:
        return None


def _text(path: Path, most: int = 2**18) -> str:
    try:
        with path.open("rb") as file:
            return file.read(most).decode(errors="replace")
    except OSError:
        return ""


def quick_settings(recipe: str) -> dict[str, Any]:
    """Those settings of a recipe that the list shows, by "section.key", read line by line as danlu writes them: twenty
    times faster than reading TOML.

    >>> quick_settings('[optim]\\nname = "sgd"\\nlr = 0.05')
    {'optim.name': 'sgd', 'optim.lr': 0.05}
    """
    found: dict[str, Any] = {}
    section = ""
    for line in recipe.splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
            continue
        key, _, value = line.partition(" = ")
        name = f"{section}.{key}"
        if name in _LISTED:
            try:
                found[name] = json.loads(value)
            except (ValueError, RecursionError):
                found[name] = value.strip("'")
    return found
