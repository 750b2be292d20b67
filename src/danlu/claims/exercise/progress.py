"""Which exercises are solved, and how many hints were asked for: one JSON file of the user's."""

import contextlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import StorageError
from danlu.base.files import make_folder, replace_file, storage_error
from danlu.base.places import progress_file
from danlu.base.strict_json import number, to_json
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.claims.exercise.catalogue import EXERCISES

_VERSION = 1


@dataclass
class SolvedExercises:
    """`solved` has the score of each solved exercise, `hints` how many were told; both by id."""

    solved: dict[str, float] = field(default_factory=dict[str, float])
    days: dict[str, str] = field(default_factory=dict[str, str])
    hints: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def read(cls) -> "SolvedExercises":
        """What is recorded. A file that cannot be understood is put aside under another name, and that is told."""
        path = progress_file()
        try:
            content = path.read_bytes()
        except OSError:
            return cls()
        try:
            return cls._of(json.loads(content))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            aside = aside_of(path)
            with contextlib.suppress(OSError):
                path.replace(aside)
            tell(say("exercise.record-damaged", path=path, aside=aside))
            return cls()

    @classmethod
    def _of(cls, found: Any) -> "SolvedExercises":
        if found["version"] != _VERSION:
            raise ValueError(found["version"])
        solved, hints = cast(dict[str, Any], found["solved"]), cast(dict[str, Any], found["hints"])
        known = {id: entry for id, entry in solved.items() if id in EXERCISES}
        return cls(
            {id: number(entry["score"]) for id, entry in known.items()},
            {id: str(entry["day"]) for id, entry in known.items()},
            {id: max(0, int(count)) for id, count in hints.items() if id in EXERCISES},
        )

    def solve(self, id: str, score: float) -> None:
        """Record that an exercise is solved; the day is that of the first time, the score the best."""
        self.days.setdefault(id, time.strftime("%Y-%m-%d"))
        self.solved[id] = max(score, self.solved.get(id, score))
        self._save()

    def next_hint(self, id: str) -> int:
        """The number of the hint to tell now, from 1 on; the last one stays the last."""
        self.hints[id] = min(self.hints.get(id, 0) + 1, EXERCISES[id].hints)
        self._save()
        return self.hints[id]

    def _save(self) -> None:
        """Where the disk refuses, that is told: what was found out still counts."""
        path = progress_file()
        solved = {id: {"score": score, "day": self.days[id]} for id, score in self.solved.items()}
        text = to_json({"version": _VERSION, "solved": solved, "hints": self.hints}, indent=1)
        try:
            make_folder(path.parent)
            replace_file(path, text.encode())
        except StorageError as error:
            tell(str(error))
        except OSError as error:
            tell(str(storage_error(path, error)))


def aside_of(path: Path) -> Path:
    """Where a damaged record is kept."""
    return path.with_name(f"{path.name}.damaged")
