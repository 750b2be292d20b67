"""Whether a learner's script is mended: it is run in a process of its own, watched, and scored on samples it never
saw."""

import hashlib
import json
import math
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, fail
from danlu.base.files import absolute
from danlu.base.input_files import path_kind, read_file
from danlu.base.places import shown
from danlu.base.strict_json import number
from danlu.base.words import say
from danlu.claims.exercise.catalogue import EXERCISES, exercise_of
from danlu.claims.exercise.exercise import NUMBERS, Exercise
from danlu.claims.exercise.progress import SolvedExercises

SECONDS = 120.0
"""So long a script may run."""

_MARK = re.compile(r"^#\s*danlu exercise:\s*(\S+)", re.MULTILINE)
_MOST_PRINTED = 4000


@dataclass(frozen=True)
class Attempt:
    """What came of a script. `score` is on new samples (NaN where it did not get so far); `found` counts the rules of
    watch that still find the fault; `told` is the score that the script itself expected, where it is asked for one;
    `crash` is the script's own traceback, `problem` what else kept it from being judged; `printed` what it printed."""

    exercise: Exercise
    score: float = math.nan
    found: int = 0
    told: float | None = None
    crash: str = ""
    problem: Fault | None = None
    printed: str = ""

    @property
    def honest(self) -> bool:
        """Whether what the script expected of new samples is about what it got, where that is asked."""
        slack = self.exercise.honest
        return slack is None or (self.told is not None and abs(self.told - self.score) <= slack)

    @property
    def solved(self) -> bool:
        return (
            not self.crash
            and self.problem is None
            and not self.found
            and self.score >= self.exercise.score
            and self.honest
        )

    def as_dict(self) -> dict[str, Any]:
        """The object that --json prints."""
        return {
            "exercise": self.exercise.id,
            "level": self.exercise.level,
            "solved": self.solved,
            "metric": "r2" if self.exercise.data in NUMBERS else "accuracy",
            "score": self.score,
            "wanted": self.exercise.score,
            "findings": self.found,
            "honest": self.honest,
            "crash": self.crash or None,
            "problem": None if self.problem is None else str(self.problem),
        }

    def __str__(self) -> str:
        """The verdict, and what is still seen; not what the fault is."""
        id = self.exercise.id
        if self.solved:
            return say("exercise.solved", name=id, **self._numbers())
        lines = [say("exercise.not-solved", name=id)]
        if self.crash:
            lines += [say("exercise.crashed"), self.crash]
        elif self.problem is not None:
            lines.append(str(self.problem))
        else:
            lines.append(say("exercise.score-fine" if self._scores else "exercise.score-low", **self._numbers()))
            lines.append(say("exercise.watch-sees" if self.found else "exercise.watch-silent"))
            if not self.honest:
                told = "–" if self.told is None else f"{self.told:.3f}"
                lines.append(say("exercise.not-honest", told=told, score=f"{self.score:.3f}"))
        return "\n".join([*lines, say("exercise.hint-offered", name=id)])

    @property
    def _scores(self) -> bool:
        return self.score >= self.exercise.score

    def _numbers(self) -> dict[str, str]:
        metric = say("view.metric-r2" if self.exercise.data in NUMBERS else "view.metric-accuracy")
        return {"metric": metric, "score": f"{self.score:.3f}", "wanted": f"{self.exercise.score:g}"}


def check_exercise(file: str | Path, *, seconds: float = SECONDS) -> Attempt:
    """Run the script `file` and judge whether its fault is mended; that it is solved is recorded.

    The script runs in a process of its own, for at most `seconds`. Its functions build, train and predict are called
    with samples that it has never seen, under `danlu.watch`: the fault must not be found any more, and the score on
    other new samples must be high enough. UserError where there is no such file, or it is no exercise's.

    file      the script; its first line says which exercise it is, else its name
    seconds   the time limit

    >>> import tempfile
    >>> from danlu.claims.exercise.deal import exercise
    >>> check_exercise(exercise("poppy", folder=tempfile.mkdtemp())).solved
    False
    """
    path = absolute(Path(file))
    text = _text_of(path)
    chosen = _exercise_in(text, path)
    attempt = _attempt(chosen, path, text, seconds)
    if attempt.solved:
        SolvedExercises.read().solve(chosen.id, attempt.score)
    return attempt


def _text_of(path: Path) -> str:
    kind = path_kind(path)
    if kind != "file":
        fail("exercise.no-file" if kind == "missing" else "exercise.not-a-file", path=shown(path))
    return read_file(path).decode("utf-8", "replace")


def _exercise_in(text: str, path: Path) -> Exercise:
    """By the line that every script has, else by the name of the file."""
    marked = _MARK.search(text)
    if marked:
        return exercise_of(marked.group(1))
    named = re.fullmatch(r"exercise-([a-z]+)", path.stem)
    if named is None or named.group(1) not in EXERCISES:
        fail("exercise.unmarked", path=shown(path))
    return EXERCISES[named.group(1)]


def _attempt(chosen: Exercise, path: Path, text: str, seconds: float) -> Attempt:
    # Another text is judged on another division of the samples, so that none can be written to fit them.
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")
    with tempfile.TemporaryDirectory() as folder:
        result, printed = Path(folder) / "result.json", Path(folder) / "printed.txt"
        program = [sys.executable, "-P", "-m", "danlu.claims.exercise.trial"]
        with printed.open("wb") as output:  # a file and no pipe, which a process left over would keep open
            try:
                done = subprocess.run(  # noqa: S603 - the learner's own script, which she asked to have run
                    [*program, str(path), chosen.id, str(seed), str(result)],
                    check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, timeout=seconds,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return Attempt(chosen, problem=Fault("exercise.too-slow", {"seconds": f"{seconds:g}"}))
        return _read(chosen, result, done.returncode, _end_of(printed))


def _end_of(printed: Path) -> str:
    """The last of what a script printed."""
    with printed.open("rb") as file:
        file.seek(max(0, printed.stat().st_size - _MOST_PRINTED))
        return file.read().decode("utf-8", "replace")


def _read(chosen: Exercise, result: Path, code: int, printed: str) -> Attempt:
    try:
        found = json.loads(result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Attempt(chosen, problem=Fault("exercise.died", {"code": code}), printed=printed)
    if "crash" in found:
        return Attempt(chosen, crash=str(found["crash"]), printed=printed)
    if "misfit" in found:
        id, values = found["misfit"]
        return Attempt(chosen, problem=Fault(id, values), printed=printed)
    told = None if found["told"] is None else number(found["told"])
    return Attempt(chosen, number(found["score"]), len(found["found"]), told, printed=printed)
