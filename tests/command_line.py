"""What a test of the command line needs: an answer, and the checks that every refusal must stand."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHINESE = re.compile(r"[\u3400-\u9fff]")
TABLE = "a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(60))
SOFTMAX = ("fit", "--net", "softmax-regression")


def _refused(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


@dataclass(frozen=True)
class Answer:
    """What one command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output, strict: a bare NaN is no JSON."""
        (line,) = self.out.splitlines()
        return json.loads(line, parse_constant=_refused)

    @property
    def faults(self) -> list[str]:
        """The messages on standard error, one a fault."""
        return [line.removeprefix("✖ ") for line in self.err.splitlines() if line.startswith("✖ ")]


Type = Callable[..., Answer]


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_refused(answer: Answer, language: str, *words: str) -> str:
    """Exit code 2, nothing on standard output, and one message with all of `words` in it, in the language asked for."""
    assert answer.code == 2
    assert answer.out == ""
    assert "Traceback" not in answer.err
    (fault,) = answer.faults
    assert answer.err == f"✖ {fault}\n"
    for word in words:
        assert word in fault
    assert bool(CHINESE.search(fault.replace("炉", ""))) == (language == "zh")
    return fault
