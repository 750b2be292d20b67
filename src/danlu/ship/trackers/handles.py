"""By what each tracker knows a run, kept in the run's folder: a resume goes on with the same."""

import json
import threading
from pathlib import Path
from typing import Any, cast

from danlu.base.files import replace_file
from danlu.base.strict_json import to_json

FILE = "trackers.json"


class Handles:
    """What `trackers.json` in a run's or a study's folder says; several threads share one.

    >>> import tempfile
    >>> handles = Handles(Path(tempfile.mkdtemp()))
    >>> handles.put("mlflow", "b7c1")
    >>> Handles(handles.file.parent).handle("mlflow")
    'b7c1'
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        self._turn = threading.Lock()
        self._known = _read(self.file)

    @property
    def settings(self) -> dict[str, Any]:
        """What a study is tracked by, as its recipe said when it began; empty where it is not."""
        return self._section("settings")

    def keep_settings(self, settings: dict[str, Any]) -> None:
        """Note what a study is tracked by. StorageError where the disk refuses."""
        with self._turn:
            self._known["settings"] = settings
            self._write()

    def handle(self, tracker: str, member: str = "") -> str:
        """By what the tracker knows the run, or a training of the study; "" where it does not."""
        return str(self._entry(tracker, member).get("handle", ""))

    def is_done(self, tracker: str, member: str) -> bool:
        """Whether all of a training was told."""
        return self._entry(tracker, member).get("done") is True

    def put(self, tracker: str, handle: str, member: str = "", *, done: bool = False) -> None:
        """Note the handle, durably. StorageError where the disk refuses."""
        with self._turn:
            entry = {"handle": handle, "done": True} if done else {"handle": handle}
            before = self._section(tracker)
            if before.get(member) != entry:
                self._known[tracker] = {**before, member: entry}
                self._write()

    def _entry(self, tracker: str, member: str) -> dict[str, Any]:
        found = self._section(tracker).get(member)
        return cast(dict[str, Any], found) if isinstance(found, dict) else {}

    def _section(self, name: str) -> dict[str, Any]:
        found = self._known.get(name)
        return cast(dict[str, Any], found) if isinstance(found, dict) else {}

    def _write(self) -> None:
        replace_file(self.file, to_json(self._known).encode() + b"\n")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}
